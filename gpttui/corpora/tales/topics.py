# ruff: noqa: E501
"""Data for `explain`: things of the tales' world, and of the machine that reads them, in plain words.

A block is a word (with its article), what it is (`=`) and what else is true of it (`+`); alternatives are
separated by `|`. Words with more than one meaning are explained from `senses_everyday` and `senses_machine`.
"""

TOPICS = """
a GPT
= a GPT is a machine learning model that guesses the next token | a GPT reads tokens and says which one may come next | a GPT is a language model made of layers
+ it turns each token into a vector | it looks back with attention | it writes one token at a time | it learned from a lot of text | it gives every token a probability | it knows only what its weights hold

a vector
= a vector is a list of numbers | a vector is a row of numbers that stands for a token | a vector is an arrow with many directions
+ two words with the same meaning have vectors that point the same way | every layer adds something to it | you can add two of them | its length can be measured | a GPT turns every token into one

training
= training is how a model learns from its mistakes | training means to change the weights until the guesses are good | training a model means to show it many examples
+ it takes many steps | at every step the loss goes down a little | it needs data and patience | too much of it on too little data, and the model learns by heart | the gradient shows the way

the loss
= the loss is a number that says how wrong a model is | the loss tells how surprised the model was | the loss is what training makes smaller
+ a small one means good guesses | at first it is high | it goes down like a ball on a hill | it is counted in nats | it never falls quite to zero, because stories are full of surprises

a prompt
= a prompt is the text that you give to a model | a prompt is how a story begins before the model goes on | a prompt is what the model reads first
+ the model goes on where it ends | a clear one gets a better answer | it is cut into tokens | it can be one word or a whole page | if you change one name in it, the whole story changes

a probability
= a probability is a number that says how likely something is | a probability lies between zero and one | a probability tells how sure a guess is
+ zero means never, and one means always | all of them together make one | a coin shows heads with one half | the model gives one to each token | the dice give each number the same one

a neural network
= a neural network is a machine learning model made of many small numbers | a neural network is a program that learns, a little like a brain | a neural network has neurons in layers
+ each neuron adds up what it hears | it has weights, and training changes them | it can tell {A_KIND} from {A_KIND} in a picture | it needs many examples | nobody writes its rules down, it finds them

a head
= a head is a part of a layer that looks for one thing | a head in a GPT decides where to look | a head has its own queries, keys and values
+ one head looks at the word before | another finds the name that a pronoun means | if you switch it off, the guesses get worse | many of them work side by side | it copies what it finds

an embedding
= an embedding is the vector that a token starts with | an embedding turns a word into numbers | an embedding is where a word lives among other words
+ names lie near other names | the model learns it in training | red lies near blue, and far from eat | every token of the vocabulary has one | it is only the start, for the layers change it

a transformer
= a transformer is a neural network with attention | a transformer reads all the words at once | a transformer is what a GPT is made of
+ it has layers, and each layer has heads | it can translate, draw and write | it adds to each vector, layer after layer | it was found in the year two thousand and seventeen | every word can look at the words before it

a prediction
= a prediction is a guess about what comes next | a prediction says what may happen | a prediction is what a model makes all day long
+ the weather has one every morning | a good one is right most of the time | a GPT makes one for every token | it can be wrong, and that is how one learns | it is made from what was seen before

the temperature
= the temperature says how boldly a model chooses | the temperature makes a model careful or wild | the temperature is a number by which the scores are divided
+ when it is low, the best token nearly always wins | when it is high, strange words appear | at zero, the model always says the same | it changes the choice, not what the model knows

a vocabulary
= a vocabulary is the list of all the tokens that a model knows | a vocabulary holds every word of a language | a vocabulary is a list of words with numbers
+ each token in it has a number | rare words are cut into pieces | the more you read, the bigger yours gets | a small one makes long texts longer

data
= data is what a model learns from | data means facts, written down | data is texts, pictures or numbers
+ good models need good data | it is cut into batches | part of it is kept back for a test | it fills many disks

a shop
= a shop is a place where people buy things | a shop is a house where you pay and take things home | in a shop you can buy what you need
+ somebody stands behind the counter | you pay with coins or notes | at night it is shut | the things in the window have a price | some sell bread, and some sell hats

a school
= a school is a place where children learn | a school is a house full of children and books | in a school teachers teach and children learn
+ a bell rings when the lesson is over | there you learn to read and to count | it is shut on Sunday | the teacher writes on the blackboard

a library
= a library is a house full of books | a library lends books to people | in a library everybody can read
+ you must be quiet there | you may take a book home, but you must bring it back | the librarian knows where every book is | it costs nothing to read there

a museum
= a museum is a house where old things are kept | a museum shows things that are rare | in a museum you can look, but not touch
+ there are bones of dinosaurs in it | a guard sits in every room | it tells how people lived long ago | things in it belong to everyone

a farm
= a farm is a place where food grows | a farm has fields, animals and a barn | on a farm people work with animals and plants
+ cows give milk there | the farmer gets up early | hens lay eggs in the straw | in autumn the corn is cut

a clock
= a clock tells the time | a clock is a machine that counts hours | a clock has two hands and twelve numbers
+ it ticks day and night | a spring or a battery makes it go | the long hand counts the minutes | at noon both hands point up

an umbrella
= an umbrella keeps the rain off | an umbrella is a roof that you can carry | an umbrella is for rainy days
+ the wind can turn it inside out | people forget it in the bus | you shut it when the sun comes out | it has a handle and a point

a mirror
= a mirror shows who looks into it | a mirror is glass that gives your face back | a mirror is a smooth thing in which you see yourself
+ left and right are changed in it | it cannot keep a picture | still water can be one | it breaks when it falls

a map
= a map is a picture of a place from above | a map shows where things are | a map is a drawing of the land
+ north is at the top | rivers on it are blue lines | with it you find your way | a small one can show a whole country

a promise
= a promise is something that you say and then must do | a promise is a word that you keep | a promise is made today for tomorrow
+ if you break it, nobody can mend it with glue | friends keep it | it weighs nothing, but it is not light | a small one is easy to keep

a secret
= a secret is something that only a few people know | a secret is what you do not tell | a secret is a thing that one keeps
+ it is hard to keep | once it is told, it is gone | friends share it | some are kept in a diary

a shadow
= a shadow is where light cannot go | a shadow is the dark shape of a thing | a shadow follows everyone in the sun
+ in the evening it is long | at noon it is short | it copies all that you do | without light there is none

rain
= rain is water that falls from clouds | rain is what makes puddles | rain falls in drops
+ plants drink it | ducks like it | after it there may be a rainbow | it fills the rivers

snow
= snow is frozen water that falls in flakes | snow is white and cold | snow falls in winter
+ no two flakes are the same | children build people from it | in spring it melts | it makes the world quiet

the moon
= the moon goes round the earth | the moon is a ball of rock in the sky | the moon shines at night
+ its light comes from the sun | sometimes it is round, and sometimes thin | nobody lives there | it pulls the sea to and fro

a seed
= a seed is a plant that is still asleep | a seed is the beginning of a plant | from a seed a plant grows
+ it needs water and earth | birds eat many of them | the wind carries some away | even a great oak was one once

a bee
= a bee is an insect that makes honey | a bee is a small animal with wings and a sting | a bee lives in a hive
+ it flies from flower to flower | it dances to show the way | it stings only when it is afraid | it works all summer

an owl
= an owl is a bird that hunts at night | an owl is a bird with big round eyes | an owl is a bird that flies without a sound
+ it can turn its head nearly all the way round | it eats mice | it sleeps by day | people say that it is wise

bread
= bread is made of flour, water and salt | bread is what a baker bakes | bread is food for every day
+ it must rise before it is baked | it smells best when it is warm | old bread is good for ducks' dreams, but not for ducks | you can eat it with butter

a bridge
= a bridge is a road over water | a bridge joins two sides of a river | a bridge is for crossing a river with dry feet
+ boats go under it | it is made of stone, wood or steel | it must be strong | without it you would have to swim

a friend
= a friend is somebody who likes you as you are | a friend is a person that you can trust | a friend is someone to laugh with
+ a good one listens | you can have many, but a best one is rare | they help each other | even {A_KIND} can be one

a dream
= a dream is a story that you see when you sleep | a dream is what the head does at night | a dream comes when you sleep
+ in it you can fly | in the morning it is soon forgotten | some are funny, and some are not | dogs have them too

money
= money is what you pay with | money is coins and notes | money is a promise that everyone believes
+ it is kept in a bank | you get it for work | you cannot eat it | a coin has two sides
"""
