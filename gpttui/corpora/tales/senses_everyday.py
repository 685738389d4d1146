# ruff: noqa: E501
"""Data for `senses`: words of everyday life that mean two things."""

EVERYDAY = """
bank
@ <walk> to the bank | <wait> by the bank | <sit> down at the bank | <run> along to the bank | <meet> {A_JOB} at the bank
# money
> <need> {NUMBER} coins for a present | <want> to keep {his} money safe | <have> {NUMBER} coins to save | <wish> to borrow some money
1 the clerk behind the counter <count-> the coins | a woman in {A_COLOUR} suit <open-> the heavy door of the safe | {X} <sign> {his} name on a paper
2 the money <be-> safe there | "your account has {NUMBER} coins in it now," <say-> the clerk | {X} <leave> with {NUMBER} coins in {his} {BAG}
= a bank is a place where people keep their money | a bank is a house full of money, with a safe and a counter | a bank looks after money for people
+ you can save coins there, and take them out later | it lends money to people who want to buy a house | the clerk counts the coins and writes the sum down | thieves dream of its safe, but the door is thick
# river
> <want> to catch a fish | <feel> hot and <want> to swim | <carry> a fishing rod and {NUMBER} worms | <hear> the river and <take> off {his} shoes
1 the water <be-> cold and clear, and a frog <jump-> in | reeds <grow+> there, and the mud <be-> soft | {X} <put> {his} feet into the stream
2 {NUMBER} fish <swim+> past | a duck <lead-> {NUMBER} ducklings into the water | {X} <fall> into the river and <come> out with wet clothes
= a bank is the land along a river | the bank of a river is where the water ends and the grass begins | a bank is the edge of a river
+ you can sit there and fish | reeds and willows grow on it | when the river is full, the water climbs over it | frogs like its soft mud

bat
@ <see> a bat | <look> at the bat | <ask> about the bat | <draw> a picture of the bat | <have> never seen such a bat
# animal
> <go> into a dark cave | <walk> through the old church at night | <climb> into the attic when it <be-> dark | <shine> a torch at the roof of the barn
1 it <hang-> upside down from a beam | it <sleep-> with its wings folded | it <open-> its wings and <fly-> out into the night
2 it <eat-> {NUMBER} moths before the sun <come-> up | its ears <be+> large, and it <can-> hear a fly | it <squeak-> and <fly-> in circles round the moon
= a bat is a small animal that flies at night | a bat looks like a mouse with wings | a bat is an animal with wings of thin skin
+ it sleeps upside down | it hears so well that it can fly in the dark | it eats moths and flies | it lives in caves and old roofs
# sport
> <go> to play cricket | <join> the cricket team | <put> on white shoes for the match | <visit> the shop that <sell-> balls and nets
1 it <be-> made of wood and <have-> a long handle | {X} <swing> it and <hit> the ball over the fence | it <feel-> heavy in {his} hands
2 the ball <fly-> high, and {X} <run> {NUMBER} times | the team <cheer->, for they <have+> won by {NUMBER} runs | with one blow {he} <break> the window of {A_JOB}
= a bat is a piece of wood with which you hit a ball | a bat is what a cricket player holds | a bat is a wooden club for a ball game
+ you hold it by its handle | a good player hits the ball with the middle of it | it is made of wood from a willow | the team that hits the ball best wins

light
@ <notice> how light it <be-> | <smile>, because it <be-> so light | <say> that it <be-> light | <think>: how light it is
# lamp
> <open> the curtains in the morning | <switch> on the lamp | <come> out of the dark tunnel | <wake> up when the sun <shine->
1 now {he} <can-> see every corner of the room | the shadows <be+> gone | the sun <make-> the {COLOUR} walls shine
2 {X} <put> out the candle | nobody <need-> a lamp until the evening | {X} <shut> {his} eyes, for the day <be-> too bright
= light is what the sun and the lamps give us | light is what we see with | light comes from the sun, from lamps and from fire
+ without it, everything is dark | it is faster than anything else | it goes through glass but not through walls | plants need it to grow
# weight
> <lift> the basket with one finger | <pick> up the feather | <carry> the empty suitcase | <put> the paper boat on {his} hand
1 it <weigh-> no more than a feather | {he} <can-> throw it up and catch it again | even a mouse <can-> carry it
2 a heavy one <be-> hard to carry | {X} <lift> it over {his} head | {X} <carry> it home without a rest
= a thing is light when it does not weigh much | a light thing is easy to carry | what is not heavy is light
+ a feather is light, but a stone is heavy | the wind can carry it away | you can lift it with one finger | a light boat floats high on the water

mouse
@ <see> a mouse on the table | <reach> for the mouse | <stare> at the mouse | <find> a mouse beside the cup
# animal
> <leave> some cheese on a plate | <hear> a squeak | <come> down for a glass of milk at night | <chase> the cat away
1 it <have-> a long tail and <eat-> a crumb of cheese | it <squeak-> and <run-> into its hole | the cat <watch-> it with green eyes
2 its whiskers <tremble+> | {X} <give> it a bit of bread | {NUMBER} baby mice <wait+> for it at home
= a mouse is a small animal with a long tail | a mouse is a little grey animal that loves cheese | a mouse is smaller than a cat, and quicker
+ it lives in a hole | it is afraid of cats | it eats crumbs, seeds and cheese | its babies are as small as a bean
# computer
> <sit> down at the computer | <turn> on the screen | <want> to draw on the computer | <start> a computer game
1 {he} <click> on it, and the arrow on the screen <move-> | it <have-> two buttons and a wheel | its cable <be-> broken, so the arrow on the screen <do-> not move
2 with {NUMBER} clicks {X} <open> a file | the computer <show-> a picture of {A_KIND} | {X} <move> it to the left, and the game <begin->
= a mouse is a thing that moves the arrow on a computer screen | a mouse is part of a computer, with buttons for clicking | the mouse of a computer lies under your hand
+ you click with it | when you move it, the arrow on the screen moves too | it needs no cheese, only a battery | it is called so because its cable looks like a tail

key
@ <look> for the right key | <find> the key at last | <press> the wrong key | <hold> the key with one finger | <notice> that one key <be-> missing
# door
> <stand> in front of the locked door | <come> home and <want> to go in | <try> to open the chest | <forget> how the gate <open->
1 it <turn-> in the lock, and the door <open-> | it <be-> made of iron and <hang-> on a ring | it <do-> not fit the lock
2 inside there <be-> a dark hall | {X} <lock> the door again | {A_JOB} <have-> to come and break the lock
= a key is a piece of metal that opens a lock | a key opens the door that it fits | a key is for locking and opening doors
+ each lock has its own | if you lose it, you must call a locksmith | you turn it in the lock | it hangs on a nail by the door
# piano
> <sit> down at the piano | <practise> a song at the piano | <learn> to play the organ | <play> a waltz with {NUMBER} fingers
1 the note <be-> too high for the song | it <be-> white, between two black ones | the piano <make-> a sound like {A_KIND}
2 the music teacher <cover-> both ears | {X} <begin> the song again | then the melody <be-> right, and everybody <clap->
= a key is the part of a piano that you press | a key of a piano is a long piece of wood, black or white | each key of a piano plays one note
+ a piano has black and white ones | you press it with a finger | a little hammer hits a string when you press it | those on the left sound low

ring
@ <love> that ring | <dream> of the ring | <wait> for the ring | <be> surprised by the ring | <remember> the ring
# finger
> <go> to the jeweller | <look> at {his} grandmother's hand | <look> at a gold band in a box | <want> to marry
1 it <be-> made of gold, with {A_COLOUR} stone | it <fit-> {his} finger | a small diamond <shine-> in the middle of it
2 {he} <wear> it on {his} left hand | {X} <pay> {NUMBER} coins for it | it <be-> too big, and <slide-> from {his} finger
= a ring is a band of gold or silver for a finger | a ring is something to wear on a finger | a ring is a small round piece of jewellery
+ people wear one when they marry | some have a stone in the middle | a jeweller makes it | it shines when it is polished
# bell
> <stand> near the telephone | <listen> to the bell of the school | <expect> a call from {his} {RELATIVE} | <hope> that someone <will-> come to the door
1 it <be-> so loud that the {KIND} <wake-> up | "hello, who is there?" <ask-> {X} | it <be-> the kind of ring that everyone <know->
2 {his} {RELATIVE} <be-> on the telephone | the sound <go-> through the whole house | after {NUMBER} seconds it <stop->
= a ring is the sound of a bell | a ring is what a telephone does when somebody calls | the ring of a bell is a clear, high sound
+ it tells you that someone is at the door | you hear it when school is over | it wakes you in the morning | when the telephone makes one, you answer it

trunk
@ <stare> at the trunk | <touch> the trunk | <look> at the huge trunk | <be> amazed by the trunk
# elephant
> <visit> the elephant at the zoo | <ride> on an elephant | <feed> an elephant with {FRUIT} | <wash> the elephant
1 it <be-> grey and long, and full of water | the elephant <lift-> it and <spray-> {X} | it <curl-> round an apple
2 "that is some nose!" <say-> {X} | the elephant <put-> the {FRUIT1} into its mouth with it | it <feel-> warm and rough
= a trunk is the long nose of an elephant | a trunk is the nose of an elephant, and its hand too | the trunk of an elephant reaches to the ground
+ the elephant drinks with it | it can lift a tree or a peanut | it has no bones | baby elephants hold their mother's tail with it
# tree
> <walk> among the old oaks | <lean> against a tree | <want> to climb the oldest tree | <follow> {A_JOB} into the woods
1 it <be-> so thick that {FEW} people <be+> needed to reach round it | moss <grow-> on it, and ants <run+> up and down | a heart <be-> cut into the wood
2 a woodpecker <knock-> on it | high above it the leaves <move+> in the wind | {NUMBER} rings in the wood <tell+> its age
= a trunk is the thick, woody part of a tree | a trunk holds up the branches of a tree | the trunk of a tree stands between its roots and its branches
+ its bark is rough | if you count its rings, you know how old the tree is | branches grow from it | a woodpecker makes holes in it

bark
@ <wonder> about the bark | <know> that bark | <tell> everyone about the bark | <be> afraid of the bark
# dog
> <hear> the neighbour's dog | <throw> a stick for the puppy | <pass> the gate with the sign about the dog | <wake> up because of a dog
1 it <be-> loud and angry, and it <come-> from the kennel | the dog <wag-> its tail and <do-> it again | the cat <run-> up a tree
2 then the dog <be-> quiet and <eat-> a bone | "good dog," <say-> {X} | {NUMBER} other dogs <answer+>
= a bark is the sound that a dog makes | a bark is how a dog speaks | the bark of a dog is short and loud
+ it can mean: go away | it can mean: come and play | big dogs have a deep one | cats do not like it
# tree
> <put> {his} hand on the birch | <carve> a heart into a tree | <collect> leaves and wood | <sit> down under a pine
1 it <be-> white and thin, like paper | it <be-> rough and brown, with ants in it | a piece of it <come-> off the tree
2 under it the wood <be-> wet | {X} <make> a little boat of it | a beetle <live-> behind it
= bark is the skin of a tree | bark is the outer part of a trunk | the bark of a tree keeps its wood safe
+ it is rough on an oak and smooth on a beech | beetles live under it | cork is made of it | deer eat it in winter

crane
@ <watch> the crane | <wave> to the crane | <take> a photograph of the crane | <write> a poem about the crane
# bird
> <sit> by the marsh | <walk> along the lake with field glasses | <look> for nests in the reeds | <see> tall birds in the wet meadow
1 it <stand-> on one leg in the water | it <spread-> its wings and <dance-> | it <catch-> a frog with its beak
2 in autumn it <will-> fly south | its feathers <be+> grey | it <sit-> on {FEW} eggs
= a crane is a tall bird with long legs | a crane is a grey bird that lives in wet places | a crane is a bird that can dance
+ it flies south in winter | it stands on one leg | it eats frogs, fish and seeds | its voice is like a trumpet
# machine
> <stop> where a new house <be-> built | <visit> the builders | <go> past the ships in the harbour | <wear> a hard {COLOUR} hat
1 it <lift-> a load of bricks to the roof | it <be-> made of steel, and a man <sit-> in its cabin | its hook <hang-> over the street
2 {A_JOB} <pull-> a lever, and the hook <go-> down | by the evening the wall <be-> {NUMBER} bricks higher | its engine <make-> a {SOUND}
= a crane is a machine that lifts heavy things | a crane is a tall machine with a hook | a crane lifts what is too heavy for people
+ it has a long arm of steel | builders use it to lift bricks and beams | in a harbour it unloads the ships | a driver sits in its cabin

match
@ <wait> for the match | <think> about the match | <be> careful with the match | <talk> about the match
# fire
> <want> to light the candle | <need> a fire for the soup | <sit> in the dark kitchen | <open> a small box of wooden sticks
1 it <burn-> with {A_COLOUR} flame | one scratch on the box, and there <be-> fire | it <be-> wet and <will-> not burn
2 soon the candle <give-> light | {X} <blow> it out before it <burn-> {his} fingers | only smoke and a black stick <be+> left
= a match is a small stick that makes fire | a match is a wooden stick with a red head | you light a match by scratching it on its box
+ it burns for a short time | children must not play with it | it is kept in a small box | you can light a candle with it
# game
> <train> with the football team | <buy> two tickets for the stadium | <put> on the shirt of {his} team | <hear> the fans sing
1 the other team <score-> first | the score <be-> {FEW} to {FEW} | the referee <blow-> his whistle, and the players <run+>
2 in the last minute the team <score-> a goal | the fans <sing+> and <wave+> {COLOUR} flags | {X}'s team <win-> the cup
= a match is a game between two teams | a match is a game that one team wins | in a match two teams try to win
+ a referee watches it | the team with more goals wins | the fans sing for their team | it may end in a draw

letter
@ <look> at the letter | <hold> up the letter | <be> proud of the letter | <wonder> about the letter | <show> everyone the letter
# post
> <hear> the postman | <open> an envelope | <get> something from {his} {RELATIVE} by post | <find> {A_COLOUR} stamp on an envelope
1 it <begin-> with the words: dear {X} | {his} {RELATIVE} <have-> written it with {COLOUR} ink | it <be-> {FEW} pages long and full of news
2 {X} <write> an answer and <put> it in an envelope | at the end it <say->: with love | {X} <read> it {FEW} times
= a letter is a message on paper that comes by post | a letter is a page that one person writes to another | a letter is news in an envelope
+ the postman brings it | you put it in an envelope with a stamp | it begins with dear and ends with love | some people keep it for ever
# alphabet
> <learn> to read | <write> on the blackboard | <practise> the alphabet | <paint> signs for {his} name
1 it <be-> the first one of {his} name | it <look-> like a snake and <sound-> like one too | it <come-> after B in the alphabet
2 with {FEW} more {he} <can-> write a whole word | the teacher <draw-> it in {COLOUR} chalk | {X} <write> it {NUMBER} times
= a letter is one sign of the alphabet | a letter stands for a sound | letters are what words are made of
+ there are twenty-six of them in English | the first one is A | some are tall and some are small | put in a row, they make a word

star
@ <look> up at the star | <point> at the star | <dream> about the star | <love> the star | always <remember> that star
# sky
> <lie> on the grass at night | <use> the new telescope | <study> the sky | <camp> under the open sky
1 it <be-> far away and {COLOUR} | it <shine-> above the roof until the morning | it <be-> the brightest one in the north
2 then a cloud <cover-> it | "it is as big as the sun," <say-> {his} {RELATIVE} | sailors <have+> always steered by it
= a star is a sun that is very far away | a star is a light in the night sky | a star is a great ball of hot gas
+ the sun is one too | by day it is too bright to see it | sailors find their way by it | nobody can count them all
# film
> <go> to the cinema | <see> a film about {A_KIND} | <stand> in front of the theatre | <buy> a ticket for the new film
1 she <wear-> {A_COLOUR} dress and <sign-> her name for everyone | the cameras <flash+>, and the crowd <shout-> her name | she <sing-> and <dance-> in every film
2 {X} <get> a photograph with her name on it | she <get-> a prize for her last film | a big {COLOUR} car <take-> her away
= a star is a famous person in films | a star is somebody whom everybody knows from the cinema | a star is an actor who is very famous
+ people ask her for her name on a card | she acts in many films | photographers follow her | some win a golden prize

spring
@ <be> happy about the spring | <wait> for the spring | <look> at the spring | <talk> about the spring
# season
> <be> tired of the snow | <plant> tulips | <put> away {his} winter coat | <see> the first green leaves
1 the birds <build+> their nests | the snow <melt->, and the days <be+> longer | flowers <come+> out in the garden
2 the lambs <jump+> in the meadow | after it <come-> the summer | {X} <go> out without a coat
= spring is the season after winter | spring is the time of the year when flowers come out | spring is the season between winter and summer
+ the snow melts | birds build their nests | the days get longer | lambs are born
# coil
> <take> the old clock apart | <repair> the mattress | <open> the toy that <jump-> | <press> the metal coil with {his} thumb
1 it <be-> made of steel and <jump-> out of the box | {he} <press> it together and <let> it go | it <be-> wound round and round, like a snail's shell
2 with a new one the clock <go-> again | it <push-> the lid open | it <hit-> the lamp with a {SOUND}
= a spring is a coil of wire that jumps back | a spring is a piece of metal that you can press together | a spring is a wire, wound round and round
+ it jumps back when you let it go | an old clock has one inside | it makes a mattress soft | it is made of steel

wave
@ <see> the wave | <laugh> at the wave | <be> surprised by the wave | <wait> for another wave
# sea
> <stand> on the beach with bare feet | <sail> out on the sea | <build> a castle of sand near the water | <ride> on a board over the sea
1 it <be-> taller than a house, and white on top | it <wash-> over the sand and the shells | the water <be-> cold and salty
2 the boat <go-> up and down | after it <come-> another one | it <leave-> {NUMBER} shells on the sand
= a wave is water that rises and falls | a wave is a hill of water on the sea | a wave comes rolling over the sea
+ the wind makes it | it breaks on the beach | it lifts the boats and lets them down | some people ride on it with a board
# hand
> <look> back at {his} {RELATIVE} | <stand> at the window of the bus | <say> goodbye at the station | <pass> the queen in her coach
1 {his} {RELATIVE} <lift-> a hand and <smile-> | {A_COLOUR} glove <move-> to and fro | it <mean-> goodbye
2 {X} <hold> up {his} hand too | then the bus <turn-> the corner | "see you on {WEEKDAY}!" <call-> {his} {RELATIVE}
= a wave is a sign that you make with your hand | a wave is how you say hello from far away | with a wave of your hand you say goodbye
+ you move your hand to and fro | friends do it when the bus leaves | it means hello or goodbye | a queen does it from her coach
"""
