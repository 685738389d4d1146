"""Run a shell command in a pty until gpttui's first screen is painted, press q, and report how it ended.

Used by `.ci/run` with the README's own run command: `python first_screen.py FOLDER 'COMMAND'`. Exit 0 only where the
screen came up, and the program ended by itself with status 0 after `q`.
"""

import sys

import pexpect
import pyte

PAINTED = "Next token"
COLUMNS, LINES = 120, 40
SET_UP_LIMIT_S, QUIT_LIMIT_S = 900, 30


def main(folder: str, command: str) -> int:
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(screen)
    child = pexpect.spawn("bash", ["-c", command], cwd=folder, dimensions=(LINES, COLUMNS), timeout=SET_UP_LIMIT_S)
    seen = b""
    while PAINTED not in "\n".join(screen.display):
        try:
            seen += (chunk := child.read_nonblocking(65_536, timeout=SET_UP_LIMIT_S))
        except (pexpect.EOF, pexpect.TIMEOUT):
            print(seen[-3000:].decode(errors="replace"))
            print("the first screen never came")
            return 1
        stream.feed(chunk)
    print("\n".join(line.rstrip() for line in screen.display))
    child.send("q")
    try:
        child.expect(pexpect.EOF, timeout=QUIT_LIMIT_S)
    except pexpect.TIMEOUT:
        print("q did not end the program")
        return 1
    child.close()
    print(f"ended with status {child.exitstatus}")
    return int(child.exitstatus or 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
