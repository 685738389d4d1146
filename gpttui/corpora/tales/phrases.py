"""The phrases that every plot of the tales world shares.

Verb phrases follow a subject ("Mia", "she", "Mia and Tom"); books of sentences say so. Not for: phrases of
one plot (`plots`).
Slots: X the subject; Y the other one; o the thing (ao "a red kite", ro "the red kite", it, they); at a spot;
in, to a place.
"""

from __future__ import annotations

from gpttui.corpora.tales import lexicon
from gpttui.corpora.tales.grammar import book
from gpttui.corpora.tales.lexicon import with_article

ADVERBS = lexicon.ADVERBS

_FRUIT = lexicon.words("apple banana cherry fig grape lemon melon orange peach pear plum strawberry")

POOLS: dict[str, tuple[str, ...]] = {
    "HOME": lexicon.HOMES,
    "HOBBY": lexicon.HOBBIES,
    "HAPPY": lexicon.HAPPY,
    "SAD": lexicon.SAD,
    "SHOP": lexicon.SHOPS,
    "WEATHER": lexicon.WEATHER,
    "COLOUR": lexicon.COLOURS,
    "TRAIT": lexicon.TRAITS,
    "A_TRAIT": tuple(map(with_article, lexicon.TRAITS)),
    "KIND": lexicon.KINDS,
    "STRAY": lexicon.STRAYS,
    "A_KIND": tuple(map(with_article, lexicon.KINDS)),
    "A_STRAY": tuple(map(with_article, lexicon.STRAYS)),
    "A_JOB": tuple(map(with_article, lexicon.JOBS)),
    "RELATIVE": lexicon.RELATIVES,
    "NUMBER": lexicon.NUMBERS,
    "FRUIT": lexicon.words(
        "apples bananas cherries figs grapes lemons melons oranges peaches pears plums strawberries"
    ),
    "FRUIT1": _FRUIT,
    "MEAL": lexicon.words("soup porridge noodles pancakes rice beans toast salad stew spaghetti dumplings potatoes"),
    "BAG": lexicon.words("pocket bag basket backpack suitcase satchel"),
    "SOUND": lexicon.words("bang crash splash creak whistle rumble knock squeak thump giggle bark roar"),
    "NAME": lexicon.BOYS + lexicon.GIRLS,
    "A_COLOUR": tuple(map(with_article, lexicon.COLOURS)),
    "FEEL": lexicon.words("hungry thirsty tired sleepy surprised breathless dizzy hot cold confused"),
    "WEEKDAY": lexicon.words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday"),
    "MENDER": lexicon.words("string glue wire tape wax paint wool thread paper ribbon"),
    "STRAYS": tuple(w[:-1] + "ies" if w.endswith("fly") else w + "s" for w in lexicon.STRAYS),
    "A_SHOP": tuple(map(with_article, lexicon.SHOPS)),
    "A_FRUIT1": tuple(map(with_article, _FRUIT)),
    "FEW": lexicon.words("two three four five six seven"),
    "SPORT": lexicon.words("tennis football chess cricket hockey basketball badminton rugby golf cards"),
    "SUBJECT": lexicon.words("history music geography arithmetic science poetry art grammar astronomy cooking"),
}

OPENINGS = book("""
once upon a time there <be> {who} called {X} in {home}
in {home} there <live> {who} named {X}
{X} <be> {who} who <live> in {home}
in {home} there <be> {who} whose name <be> {X}
meet {X}, {who} from {home}
{who} called {X} <live> in {home}
this is a story about {X}, {who} from {home}
everyone <know> {X}, {who} who <live> in {home}
for as long as anyone <can-> remember, {who} called {X} <have> lived in {home}
far away, in {home}, <live> {who}, and {his} name <be> {X}
here <come-> {X}, {who} who <live> in {home}
""")
LIKES = book("""
<love> {HOBBY}
<like> {HOBBY} more than anything
<be> very good at {HOBBY}
<dream> of {HOBBY}
<spend> every free hour {HOBBY}
<enjoy> {HOBBY} with {his} {RELATIVE}
<be> famous for {HOBBY}
<like> {HOBBY} and eating {MEAL}
<be> tired of {HOBBY}
<hope> to become {A_JOB} one day
<want> to be {A_JOB}, like {his} {RELATIVE}
<be> a little afraid of the dark
""")
FRIENDS = book("""
{his} best friend <be> {whoy} called {Y}
{he} <have> a friend called {Y}, who <be> {whoy}
next door <live> {whoy} named {Y}
{X} and {Y}, {whoy}, <be+> good friends
{his} friend {Y} <be> {whoy}
everyone <say-> that {X} and {whoy} called {Y} <be+> the best of friends
""")
DAYS = book("""
one {WEATHER} {day},
one {day},
on a {WEATHER} {day},
one {day} in spring,
one {day} in autumn,
it <be-> a {WEATHER} {day}, and
on the first {day} of the holidays,
early one {day},
late one {day},
""")
LEADS = book("""
then
soon
a little later,
after a while,
before long,
just then,
a moment later,
at once,
straight away,
all of a sudden,
after that,
now
so
this time,
in the meantime,
of course,
quite soon,
as usual,
""")
JUMPS = book("""
the next morning,
that evening,
a week later,
after lunch,
the next day,
that afternoon,
an hour later,
when the clock <strike> {FEW},
when the rain <stop>,
on {WEEKDAY} of the next week,
at the end of the day,
when it <be-> time to go home,
after supper,
before bedtime,
""")
SOFT_JOINS = (" and", ", and so {he}", " and soon", ", and {he}")
JOINS = (" and", ", and then {he}", ", then", ".", ", and after that {he}", " and at once")
SAID = book("""
<say>
<whisper>
<call>
<laugh>
<murmur>
<declare>
<announce>
""")
ASKED = book("""
<ask>
<wonder>
<cry>
<inquire>
""")

ARRIVES = book("""
<go> {to}
<come> {to}
<be> {in}
<walk> {to}
<hurry> {to}
<stand> {in}
<sit> {in}
<wait> {in}
<play> {in}
""")
GETS = book("""
<find> {ao}
<see> {ao} and <pick> {it} up
<get> {ao} from {his} {RELATIVE}
<take> {ao} out of {his} {BAG}
<buy> {ao} from {A_JOB}
<bring> {ao} along
<notice> {ao} and <take> {it}
<pull> {ao} from {his} {BAG}
<receive> {ao} as a present
<win> {ao} in a game of {SPORT}
""")
PUTS = book("""
<put> {o} {at}
<lay> {o} {at}
<leave> {o} {at}
<hide> {o} {at}
<place> {ro} {at}
<put> {ro} {at}
<tuck> {o} away {at}
<set> {o} down {at}
<pop> {o} {at}
<store> {ro} {at}
""")
KEEPING = book("""
so that nobody <will-> find {it}
because {he} <want> to keep {it} safe
because {his} hands <be+> full
because it <be-> time for supper
and <hope> that nobody <have-> seen {it}
where nobody ever <look>
because it <be-> getting late
and <tell> no one
because {he} <be> going out
""")
WANTS = book("""
<want> to {use}
<wish> to {use}
<long> to {use}
<need> {ro}
<think> of {ro}
<be> ready to {use}
<remember> {ro}
<decide> to {use}
""")
FINDS = book("""
<look> {at} and <find> {o}
<pull> {o} out from where {they} {was}, {at}
<find> {o} {at}
<go> back and <find> {o} {at}
<know> that {o} {was} {at}
<remember> that {o} {was} {at}
<look> {at}, and there {they} {was}
<reach> for {o} {at}
""")
LOOKS_IN_VAIN = book("""
<look> {at}, but {o} {was} not there
<search> {at}, but <find> nothing
<look> for {o} {at} in vain
<hope> to see {o} {at}, but {they} {was} gone
<go> to look {at}, but <find> only dust
<feel> {at}, but there <be-> nothing
""")
JOYS = book("""
<be> very {HAPPY}
<be> {HAPPY} but {FEEL}
<laugh> for joy
<dance> with joy
<smile> from ear to ear
<clap> and <sing>
<feel> {HAPPY} for the rest of the day
<jump> up and down
<be> so {HAPPY} that {he} <sing> a song
<hum> a little tune
""")
SORROWS = book("""
<be> very {SAD}
<feel> {SAD}
<begin> to cry
<sigh>
<be> {SAD} and {FEEL}
<hang> {his} head
<be> so {SAD} that {he} <do> not want any {MEAL}
<sit> down and <cry>
<frown>
<look> {SAD}
""")
WHERE_IS = book("""
where {is} {o}
has anybody seen {ro}
who has taken {o}
do you know where {o} {is}
where can {o} be
have you seen {o}
what has happened to {o}
""")
IT_IS = book("""
{o} {is} {at}
I saw {o} {at}
look {at}
I think {they} {is} {at}
you will find {it} {at}
{they} must be {at}
I put {o} {at}
""")
THANKS = book("""
thank you, {Y}
you are a good friend, {Y}
how kind you are
thank you so much
I will never forget this
you are the best, {Y}
that is very kind of you
what a {WEATHER} day this is
""")
ENDINGS = book("""
from that day on, {X} <take> better care of {his} things
that night {X} <sleep> very well
{X} <tell> the story to everyone {he} <meet>
and {X} <go> home to eat {MEAL}
after all that, {X} <be> ready for bed
{X} never <forget> any of it
{X} <draw> a picture of it all
{X}'s {RELATIVE} <be> very proud of {him}
and that is how {X} became so {TRAIT}
{X} <write> it all down in a letter to {his} {RELATIVE}
{X} <have> {MEAL} for supper and <go> to bed early
{X} <dream> about it all night
and {X} <live> happily ever after
back home, {X} <fall> asleep at once
{X} <lie> in bed and <think> about it all
""")
JOINT_ENDINGS = book("""
{X} <walk> home together
{X} <share> some {MEAL} and <laugh> about it all
{X} <be> friends for ever
{X} <go> home, tired and {HAPPY}
from then on, {X} always <help> each other
{X} <talk> about it until the moon <come-> out
that evening, {X} <sit> together and <eat> {MEAL}
{X} <wave> goodbye and <promise> to meet again
{X} <agree> that it <have-> been a day full of surprises
{X} <play> {SPORT} until it <be-> dark
""")
