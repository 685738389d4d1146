"""The words of the tales world: who lives there, what they own, where they keep it.

For: plain data, grouped into pools from which the teller draws uniformly, and from which the checker knows
what a word is.
Not for: sentences (see `phrases`, `senses`, `topics`) or inflection (see `grammar`).
Every pool holds distinct entries, because a doubled entry would make the entropy account wrong.
"""

from __future__ import annotations

from typing import NamedTuple


class Spot(NamedTuple):
    """Where a thing can be put: a preposition and a noun, as in *under the bed*."""

    prep: str
    noun: str


class Place(NamedTuple):
    """Where a person can be; its spots are the only ones a thing can be put at there."""

    prep: str
    noun: str
    spots: tuple[Spot, ...]


def words(text: str) -> tuple[str, ...]:
    """Split a block of words; `_` stands for a space inside an entry."""
    return tuple(word.replace("_", " ") for word in text.split())


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().split("\n"))


def article(phrase: str) -> str:
    """*a* or *an*, by the sound the phrase begins with."""
    if phrase.startswith(("us", "uni", "uk", "one")):
        return "a"
    return "an" if phrase[0] in "aeiou" or phrase.startswith("hon") else "a"


def with_article(phrase: str) -> str:
    return f"{article(phrase)} {phrase}"


BOYS = words("""
Adam Amos Arlo Basil Bruno Caleb Diego Emil Ezra Felix Finn Gus Hugo Ivan Jasper Jonas
Lars Leo Milo Noah Omar Otis Quentin Ravi Rufus Samir Theo Tom Viktor Zach
""")
GIRLS = words("""
Ada Alba Anya Astrid Bella Clara Dora Elena Fatima Freya Greta Hannah Ines Isla Kira Lena
Lila Lucy Mabel Maya Mia Nina Nora Olga Priya Rosa Ruth Salma Vera Yara
""")
PETS_HE = words("""
Bandit Biscuit Buster Cosmo Duke Jingle Nibbles Patch Pickle Pip Rascal Rusty Scruff Waffles
""")
PETS_SHE = words("""
Blossom Clover Daisy Fern Ginger Honeybun Misty Nutmeg Olive Peaches Pepper Poppy Pumpkin Willow
""")
SURNAMES = words("""
Barrow Bramble Crumb Dawson Fiddler Fletcher Hobbs Kettle Larkin Marlow Nettle Pocket Quill Sparrow
Tibbs Whistle
""")
UNCLES = words("Albert Dmitri Frank George Jack Oliver Pedro Sam")
AUNTS = words("Alma Carmen Ella Flora Hilda Joan Marta Pearl")

KINDS = words("""
badger bear beaver cat cow crow deer dog donkey duck elephant fox frog giraffe goat goose hamster hare hedgehog hen
horse kitten lion lizard mole monkey otter owl panda parrot penguin pig pony puppy rabbit raven sheep squirrel
tiger tortoise turtle wolf zebra
""")
STRAYS = words("""
beetle blackbird butterfly caterpillar chipmunk cricket dragonfly duckling gull heron jackdaw kingfisher ladybird lamb
lark magpie moth newt pigeon robin shrew snail spider swallow swan toad weasel woodpecker worm wren
""")
THIEVES = words("crow gull jackdaw magpie monkey puppy raven squirrel weasel kitten goat ferret parrot seagull")
JOBS = words("""
baker barber blacksmith bookseller builder butcher captain carpenter clockmaker cobbler cook dentist doctor driver
farmer fisher florist gardener glazier grocer hatter jeweller librarian locksmith mechanic miller nurse painter pilot
plumber potter sailor shepherd tailor teacher vet weaver
""")

TRAITS = words("""
brave bright busy careful cheerful clever clumsy curious daring dreamy eager forgetful friendly funny gentle helpful
honest impatient jolly kind lively lonely merry messy noisy nosy patient playful polite proud quick quiet restless
shy sleepy sly stubborn thoughtful tidy wise
""")
HAPPY = words("""
happy glad proud delighted pleased cheerful thrilled relieved overjoyed grateful content merry excited
""")
SAD = words("sad upset unhappy worried miserable cross sorry gloomy ashamed disappointed tearful annoyed")
ADVERBS = words("""
carefully quickly slowly quietly gently happily calmly proudly bravely softly eagerly secretly neatly politely
patiently suddenly gladly cheerfully silently cleverly solemnly shyly boldly hastily
""")
WEATHER = words("""
bright chilly cloudy cold foggy frosty golden hot misty rainy snowy stormy sunny warm windy wet grey lovely
""")
DAYTIMES = words("""
morning afternoon evening day Monday Tuesday Wednesday Thursday Friday Saturday Sunday night
""")
HOMES = _lines("""
a small house by the sea
a village near the forest
a tall tower on a hill
a yellow cottage
a town full of bridges
a flat above the bakery
a houseboat on the canal
a farm at the end of the lane
a hut in the mountains
a house with a green roof
a castle with seven towers
an old windmill
a valley full of apple trees
a cabin beside the lake
a city of bells
a street near the harbour
a caravan with round windows
a lighthouse on an island
a hollow under the oak tree
a house made of red bricks
a quiet square behind the church
a tent at the edge of the desert
a barn beside the meadow
a narrow house between two shops
""")
HOBBIES = _lines("""
painting pictures
climbing trees
counting stars
singing songs
baking bread
telling jokes
drawing maps
collecting shells
watching clouds
making soup
building towers
planting seeds
reading stories
skipping stones
riding bicycles
playing chess
dancing in the rain
solving riddles
asking questions
learning new words
feeding the birds
mending old clocks
looking at the moon
jumping in puddles
writing letters
knitting scarves
swimming in the lake
whistling old tunes
sleeping late
exploring caves
""")

COLOURS = words("red blue green yellow white black brown purple pink orange silver golden grey turquoise")
_TOY_LOOKS = COLOURS + words("""
wooden painted shiny tiny little new old favourite striped spotted pretty round funny broad magic lovely
""")
_CLOTH_LOOKS = COLOURS + words("woollen warm soft striped spotted knitted velvet torn new old silk checked")
_TOOL_LOOKS = words("rusty heavy sharp old new shiny useful sturdy long short iron copper brass strong wooden")
_FOOD_LOOKS = words("sweet warm fresh delicious tasty ripe crunchy juicy big small tempting fine enormous round")
_TREASURE_LOOKS = words("""
silver golden shiny tiny precious ancient glass lucky secret beautiful mysterious polished strange sparkling rare
""")
_BOOK_LOOKS = words("thick thin dusty old new secret beautiful blue red green torn long short famous puzzling")


class Sort(NamedTuple):
    """A sort of thing: its nouns, its adjectives, what one does with it (`{it}` is the thing)."""

    name: str
    nouns: tuple[str, ...]
    plurals: tuple[str, ...]
    looks: tuple[str, ...]
    uses: tuple[str, ...]


SORTS = (
    Sort(
        "toy",
        words("""
        kite ball doll drum puppet hoop robot balloon marble teddy_bear rocking_horse toy_boat paper_plane jigsaw dice
        rattle skateboard scooter sledge football frisbee dinosaur spinning_top
        """),
        words("marbles blocks dominoes crayons stilts skates skittles stickers"),
        _TOY_LOOKS,
        ("play with {it}", "have fun with {it}", "show {it} to everyone", "try {it} out", "play with {it} again"),
    ),
    Sort(
        "clothes",
        words("""
        hat scarf coat jacket cap cloak sweater dress belt apron bonnet vest ribbon crown mask shirt shawl umbrella
        handkerchief waistcoat
        """),
        words("boots gloves mittens socks shoes slippers trousers sandals"),
        _CLOTH_LOOKS,
        ("wear {it}", "put {it} on", "try {it} on", "keep warm with {it}", "wear {it} to the party"),
    ),
    Sort(
        "tool",
        words("""
        hammer saw spade rake bucket ladder brush broom rope lantern torch axe shovel compass needle pump
        wheelbarrow net kettle telescope thermometer magnet screwdriver
        """),
        words("scissors pliers tongs tacks candles binoculars"),
        _TOOL_LOOKS,
        ("work with {it}", "use {it}", "oil {it}", "finish the job with {it}", "clean {it}"),
    ),
    Sort(
        "treasure",
        words("""
        coin ring necklace pearl medal locket shell feather key bracelet brooch button diamond crystal statue vase
        mirror music_box pebble badge bell snow_globe pocket_watch amulet
        """),
        words("jewels beads earrings pebbles stamps"),
        _TREASURE_LOOKS,
        ("look at {it}", "admire {it}", "hold {it}", "polish {it}", "touch {it}"),
    ),
    Sort(
        "book",
        words("""
        book diary map letter notebook story_book cookbook newspaper postcard poem atlas dictionary song_book magazine
        sketch scroll comic recipe
        """),
        words("letters maps photographs notes"),
        _BOOK_LOOKS,
        ("read {it}", "study {it}", "read {it} aloud", "look at {it}", "read {it} again"),
    ),
    Sort(
        "instrument",
        words("""
        flute violin guitar trumpet banjo harp accordion tambourine ukulele clarinet cello whistle harmonica fiddle
        """),
        words("cymbals bagpipes castanets maracas"),
        COLOURS + words("old new shiny wooden tiny beautiful"),
        ("play {it}", "practise with {it}", "play {it} for the neighbours", "tune {it}", "learn to play {it}"),
    ),
)
FOOD = Sort(
    "food",
    words("""
    apple pear cake pie sandwich bun biscuit pancake banana peach plum melon carrot cheese loaf pudding tart pizza
    sausage orange mango waffle doughnut omelette turnip coconut pretzel
    """),
    words("cherries strawberries nuts grapes berries noodles dumplings raisins figs peas"),
    _FOOD_LOOKS,
    ("eat {it}", "taste {it}", "share {it}", "have {it} for supper", "try {it}"),
)


def _places(text: str) -> tuple[Place, ...]:
    places = []
    for line in _lines(text):
        head, tail = line.split(": ")
        prep, noun = head.split(" ", 1)
        spots = tuple(Spot(*spot.split(" ", 1)) for spot in tail.split(", "))
        places.append(Place(prep, noun, spots))
    return tuple(places)


PLACES = _places("""
in kitchen: in cupboard, in drawer, under table, on windowsill, behind stove, in basket
in bedroom: under bed, in wardrobe, under pillow, behind curtain, in toy box, on shelf
in attic: in trunk, in suitcase, behind chimney, under rug, on rocking chair
in garden: under bush, in shed, behind hedge, in flower pot, on bench, under apple tree
in cellar: in barrel, behind boiler, on workbench, in crate, under stairs
in library: on bookcase, behind globe, under desk, in satchel, on reading table
in barn: in hay, behind ladder, in manger, under cart, on beam
at school: in locker, under blackboard, in desk, behind piano, on teacher's chair
at farm: in henhouse, behind tractor, in milk pail, under wagon, on gate
at beach: in sandcastle, under rock, behind dune, in rowing boat, on towel, under parasol
in forest: in hollow log, under fern, behind oak, in nest, on tree stump
in park: under slide, behind fountain, in bandstand, on swing, under statue
at harbour: in crab pot, behind anchor, on jetty, under nets, in fishing boat
at market: under stall, in wooden box, behind barrow, on counter, in sack
at station: in waiting room, under seat, behind ticket machine, on platform, in luggage van
at museum: in glass case, behind mummy, under dinosaur skeleton, on marble step, in cloakroom
in workshop: in toolbox, behind vice, on lathe, under sawdust, in paint tin
at castle: in dungeon, behind throne, under drawbridge, on battlements, in treasure chest
on ship: in cabin, under hammock, behind mast, on deck, in captain's chest
in meadow: in tall grass, under willow, behind fence, on stile, in rabbit hole
at bakery: in bread oven, behind flour bin, on cooling rack, under tray, in cake tin
in greenhouse: in watering can, behind tomatoes, under vine, on bench, in seed box
at theatre: behind stage, in costume basket, under front row, on balcony, in prompter's box
at zoo: behind aquarium, in ticket booth, under bridge, on wall, in straw
in tree house: in hammock, under trapdoor, behind poster, on branch, in biscuit tin
at fair: behind roundabout, in tent, under stage, on ferris wheel, in popcorn machine
in classroom: in paint box, behind map, under radiator, on book rack, in waste basket
in office: in filing cabinet, behind printer, under keyboard, on photocopier, in briefcase
in parlour: behind sofa, in piano stool, under cushion, on mantelpiece, in grandfather clock
in yard: in kennel, behind dustbin, under bucket, on clothes line, in woodpile
""")
SHOPS = words("""
toy_shop hat_shop book_shop corner_shop antique_shop music_shop hardware_shop department_store second-hand_shop
village_shop market_stall gift_shop shoe_shop junk_shop
""")
RELATIVES = words("grandmother grandfather mother father aunt uncle cousin godmother sister brother neighbour teacher")
NUMBERS = words("two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty")
