"""Modules that the first picture can do without: `import numpy` costs nothing until something of numpy is wanted.

`importlib.util.LazyLoader` is not enough, for its modules are loaded by the second `import` of them. Not for modules
that several threads may want first: `load_now` is called before there are any.
"""

import sys
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any


class _Late(ModuleType):
    def load(self) -> None:
        assert self.__spec__ is not None and self.__spec__.loader is not None
        object.__setattr__(self, "__class__", ModuleType)
        self.__spec__.loader.exec_module(self)

    def __getattr__(self, name: str) -> Any:
        self.load()
        return getattr(self, name)


def load_late(name: str) -> None:
    """From here on `import NAME` gives a module that is empty until an attribute of it is looked up."""
    if name not in sys.modules and (spec := find_spec(name)) is not None:
        module = module_from_spec(spec)
        module.__class__ = _Late
        sys.modules[name] = module


def load_now(name: str) -> None:
    """Load it if it is late still."""
    module = sys.modules.get(name)
    if isinstance(module, _Late):
        module.load()
