# ruff: noqa: E501
"""Data for `senses`: words that mean one thing in everyday life and another one in machine learning."""

MACHINE = """
model
@ <see> the new model | <work> with a model | <talk> about the model | <be> proud of the model | <want> to know everything about the model | <look> at a photograph of the model
# machine learning
> <study> machine learning | <write> a program that <learn-> from data | <collect> {NUMBER} thousand sentences | <start> the big computer | <read> about machine learning
1 it <learn-> from data, and its loss <go-> down | it <guess-> the next word of every sentence | it <have-> {NUMBER} million weights and {NUMBER} layers
2 after training, it <can-> write a story about {A_KIND} | {X} <give> it a prompt, and it <answer-> | each mistake <make-> its weights a little better
= a machine learning model learns from data | a machine learning model is a program that learns from examples | a machine learning model is made of numbers that are learned
+ its weights are numbers, and training changes them | it makes a guess, sees its mistake, and gets a little better | its loss tells how wrong it is | the more data it sees, the better it guesses | it runs on a computer
# fashion
> <visit> the fashion show | <design> {A_COLOUR} dress | <sit> in the front row of the fashion show | <sew> clothes for a famous shop | <read> about fashion
1 she <wear-> {A_COLOUR} dress and <walk-> along the stage | she <turn-> round, so that everyone <can-> see the coat | the photographers <call+> her name
2 after the show, she <put-> on her old {COLOUR} shoes | her hair <be-> done by {A_JOB} | everybody <clap-> when she <smile->
= a fashion model is a person who wears new clothes for others to see | a fashion model shows clothes on a stage | a fashion model walks along a stage in beautiful clothes
+ she wears dresses that are not for sale yet | photographers take pictures of her | she walks slowly and turns round | her clothes are made by a designer | she works at fashion shows
# toy
> <glue> small pieces of wood together | <spend> {NUMBER} evenings with glue and paint | <build> something small from a box of parts | <visit> the toy maker | <read> about old ships
1 it <be-> a tiny ship with {FEW} sails | it <look-> like a real castle, but a hand <can-> cover it | every window <be-> painted {COLOUR}
2 {X} <put> it on the shelf to dry | the glue <be-> still wet | one mast <be-> broken, so {he} <glue> it again
= a toy model is a small copy of a big thing | a toy model looks like the real thing, only smaller | a toy model of a ship or a house is made with glue and paint
+ you need glue and patience to build it | it stands on a shelf | a ship of this kind never goes to sea | it has the same parts as the big one | its parts come in a box

token
@ <hold> up a token | <count> every token | <explain> what the token <be-> for | <ask> for another token | <know> the price of a token
# language
> <feed> a sentence to the language model | <cut> a text into pieces for the computer | <look> at the words on the screen of the language model | <learn> how a GPT <read->
1 each one <be-> a word, or a piece of a word | the model <turn-> it into a vector of numbers | the long word <become-> {FEW} of them
2 the next one <be-> easy for the model to guess | even the space <be-> part of it | each one <have-> its own number in the vocabulary
= a token is a piece of text that a language model reads | a token is a word or a piece of a word | for a GPT, a token is the smallest piece of text
+ each one has a number | a long word may be cut into two or three of them | the model reads them one after another | a space can be part of it | the vocabulary is the list of all of them
# ride
> <stand> in line at the fair | <want> to ride on the roundabout | <go> to the laundry with dirty shirts | <pay> for the bumper cars
1 it <be-> a round piece of brass, as big as a coin | it <fall-> into the slot, and the roundabout <turn-> | a boy at the gate <take-> it and <let-> {X} in
2 the ride <take-> {NUMBER} minutes | {X} <buy> {NUMBER} more of them | {X} <choose> the {COLOUR} horse
= a token is a small piece of metal that you pay with at the fair | a token is a kind of coin for a ride or a machine | a token looks like a coin, but you cannot buy bread with it
+ you put it into a slot | one is enough for one ride | you buy it at the ticket booth | it is made of brass | at home it is worth nothing

layer
@ <look> at the top layer | <count> every layer | <add> another layer | <start> with the first layer | <be> curious about the last layer
# network
> <draw> a neural network | <look> inside a language model | <build> a bigger transformer | <watch> how the vectors <change+> in a GPT
1 it <take-> the vectors and <add-> something to each of them | it <have-> {FEW} heads for attention, and then a small network | what <go+> in <be+> vectors, and what <come+> out <be+> vectors too
2 after {NUMBER} of them, the model <can-> guess the next word | deep inside, the meaning <be-> clearer | the loss <go-> down when the network <be-> deeper
= a layer is one step in a neural network | a layer of a GPT is attention and a small network | a layer takes vectors and makes them a little wiser
+ it adds what it has found to every vector | a GPT has many of them, one on top of the other | the first ones look at words, the last ones at meaning | each has its own weights | vectors go in, and vectors come out
# cake
> <bake> a birthday cake | <cover> the cake with cream | <cut> a cake for {NUMBER} guests | <visit> the baker before the wedding
1 it <be-> made of cream and {FRUIT} | it <taste-> of {FRUIT1} and sugar | the chocolate <run-> down the side
2 {X} <lick> the spoon | {NUMBER} candles <stand+> on the cake | the guests <eat+> it all, and the plates <be+> empty
= a layer is one flat part of a cake | a layer of a cake is cream, or jam, or sponge | a layer of a cake lies on top of another one
+ between two of them there is cream | a wedding cake has many | the top one has candles on it | each can have its own taste | children eat the top one first

weight
@ <write> down the weight | <change> the weight a little | <be> surprised by the weight | <ask> about the weight | <talk> about the weight
# network
> <train> a neural network | <look> at the numbers inside a language model | <read> the code of a GPT | <save> the model to a file
1 it <be-> a small number between two neurons | training <have-> made it larger | when it <be-> zero, nothing <go-> through
2 a million others <change+> with it at every step | together with the others, it <hold-> what the model <know-> | the gradient <have-> told it which way to go
= a weight is a number inside a neural network | a weight says how much one neuron listens to another | a weight is a number that is learned
+ training changes it a little at every step | a model has millions of them | all that a model knows is in them | at first they are random | they are kept in a file
# scales
> <put> the pumpkin on the scales | <step> on the scales | <sell> potatoes at the market | <lift> a sack of flour
1 the needle <show-> {NUMBER} kilos | it <be-> too heavy for one {KIND} | the scales <say+>: {NUMBER} kilos
2 {A_JOB} <help-> {X} to carry it | half of it <be-> more than enough | {X} <take> away {FEW} potatoes, and the needle <go-> back
= weight is how heavy a thing is | the weight of a thing is what the scales show | weight is what makes a bag hard to carry
+ it is counted in kilos | an elephant has more of it than {A_KIND} | you feel it when you lift something | on the moon everything has less of it | the scales show it

attention
@ <learn> about attention | <think> about attention | <ask> a question about attention | <hear> something new about attention | <say> that attention <be-> all {he} <need>
# transformer
> <read> how a transformer <work-> | <open> a GPT to look inside | <study> the heads of a language model | <draw> lines between the words of a sentence
1 each word <look-> back at the words before it | a query <meet-> a key, and the value <be-> copied | one head always <look-> at the word before
2 so the word "she" <can-> find the name that it <mean-> | the weights of all the words <make+> one when you <add+> them | a word never <look-> at the words after it
= attention is how a word in a GPT looks back at other words | attention lets one token read from the tokens before it | in a transformer, attention moves meaning from word to word
+ it has queries, keys and values | a query asks, and a key answers | each head looks for something else | it never looks at the future | the weights always add up to one
# school
> <talk> in class again | <look> out of the window at school | <fall> asleep in the lesson about {SUBJECT} | <sit> in the last row of the classroom
1 the teacher <knock-> on the desk and <look-> at {X} | "please listen," <say-> the teacher | the lesson <be-> long, and {his} friends <whisper+>
2 {X} <sit> up and <listen> | after that {he} <answer> {FEW} questions about {SUBJECT} | at the end {he} <know> all about {SUBJECT}
= attention is what you pay when you listen | to pay attention is to listen and to look with care | attention is what a teacher wants from the class
+ you cannot buy it, but you can pay it | it is hard to pay when you are tired | a loud {SOUND} takes it away | a good story gets it | without it, you learn little

cloud
@ <look> at the cloud | <think> of the cloud | <trust> the cloud | <know> that it all <come-> from the cloud
# sky
> <lie> on the grass by day | <plan> a picnic | <fly> a kite on the hill | <forget> {his} umbrella
1 it <be-> grey and full of rain | it <look-> like {A_KIND} | the wind <push-> it over the hill
2 soon the first drops <fall+> | it <hide-> the sun, and the day <grow-> cold | {X} <get> wet from head to foot
= a cloud is made of tiny drops of water | a cloud is water that floats in the sky | a cloud is what rain falls from
+ rain falls from it | the wind carries it along | white ones look like sheep | in it there are more drops than anyone can count | from inside it looks like fog
# computers
> <save> a file on the internet | <have> no space left on the computer | <send> {his} photographs to a server | <lose> the computer, but not the files
1 the files <be+> on a server far away | a password <keep-> the files safe | {NUMBER} thousand computers <hum+> in a hall by the sea
2 {X} <can-> open {his} files on any screen | without the internet, there <be-> nothing to see | {X} <type> the password, and there <be+> the photographs
= the cloud is computers far away that keep your files | the cloud is other people's computers | to save a file in the cloud is to send it to a computer far away
+ you reach it through the internet | it needs a password | no rain falls from it | large models are trained there | its computers stand in great halls

bug
@ <find> a bug | <look> for the bug | <catch> the bug | <show> everyone the bug | <think> about that bug
# insect
> <kneel> in the grass | <turn> over a stone | <pick> {FRUIT} in the garden | <hold> a glass over a leaf
1 it <have-> six legs and {A_COLOUR} back | it <crawl-> over {his} finger | it <eat-> a hole in the leaf
2 then it <open-> its wings and <fly-> away | {X} <put> it back on the grass | a bird <have-> seen it too
= a bug is a small animal with six legs | a bug is an insect | a bug is a little animal that crawls or flies
+ it has six legs | birds eat it | some shine in the dark | it lays tiny eggs | it lives under stones and leaves
# program
> <run> the new program | <write> code until midnight | <test> the computer game | <look> at the error on the screen
1 it <be-> in line {NUMBER} of the code | because of it the program always <stop-> | one letter in the code <be-> wrong
2 {X} <change> one word, and the test <pass-> | now the program <run-> without an error | {X} <write> a test, so that it <will-> never come back
= a bug is a mistake in a program | a bug is an error that somebody made in the code | a bug is why a program does the wrong thing
+ every program has some | a test helps you to find it | programmers hunt for it at night | one wrong letter is enough | to remove it, you change the code

web
@ <look> at the web | <get> lost in the web | <admire> the web | <search> the whole web | <talk> about the web
# spider
> <clean> the corner of the attic | <see> drops of rain on thin threads | <watch> a spider at work | <walk> in the garden at sunrise
1 the spider <sit-> in the middle and <wait-> | a fly <hang-> in it | its threads <shine+> like silver
2 by noon there <be+> {FEW} flies in it | {X} <break> a thread, but the spider <mend-> it | the wind <move->, but the threads <do+> not break
= a web is a net that a spider makes | a web is how a spider catches flies | a web is made of very thin threads
+ flies get caught in it | the spider mends it every night | its threads are stronger than they look | it is sticky | in the morning it is full of dew
# internet
> <sit> down at the computer with a question | <open> a page on the screen | <want> to find a picture of {A_KIND} | <type> {NUMBER} words and <press> a button
1 there <be+> {NUMBER} million pages about it | one link <lead-> to the next | a page about {SUBJECT} <open->
2 {X} <click> on a link and <read> until midnight | not everything on those pages <be-> true | {X} <make> a page of {his} own, with photographs
= the web is all the pages that you can open on a computer | the web is millions of pages, joined by links | the web is a part of the internet
+ links lead from page to page | you can find almost anything on it | not everything on it is true | language models learn to read from its pages | everyone can add a page
"""
