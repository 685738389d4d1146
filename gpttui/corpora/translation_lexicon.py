"""The words of the translation corpus, typed by hand: nouns, adjectives, verbs and fixed phrases with their French.

For: `translation.py`, which makes sentences of them. Not for: a dictionary; a word is here with one meaning.
The letters are classes that keep sentences sensible: P person, A animal, F food that is counted, M food that is
not, D drink, R reading, C clothing, T thing, X container, O what opens, U surface, L place to be in, S place to be
on, V vehicle, N nature, I instrument.
"""

from __future__ import annotations

# English[/plural] | French[/plural] | gender | class
NOUNS = """
man/men|homme|m|P
woman/women|femme|f|P
boy|garçon|m|P
girl|fille|f|P
child/children|enfant|m|P
baby|bébé|m|P
king|roi|m|P
queen|reine|f|P
prince|prince|m|P
princess|princesse|f|P
mother|mère|f|P
father|père|m|P
brother|frère|m|P
sister|sœur|f|P
uncle|oncle|m|P
aunt|tante|f|P
grandmother|grand-mère/grands-mères|f|P
grandfather|grand-père/grands-pères|m|P
friend|ami|m|P
neighbour|voisin|m|P
doctor|médecin|m|P
teacher|professeur|m|P
student|étudiant|m|P
nurse|infirmière|f|P
baker|boulanger|m|P
farmer|fermier|m|P
singer|chanteur|m|P
dancer|danseuse|f|P
soldier|soldat|m|P
thief/thieves|voleur|m|P
witch|sorcière|f|P
writer|écrivain|m|P
artist|artiste|m|P
judge|juge|m|P
engineer|ingénieur|m|P
lady|dame|f|P
cat|chat|m|A
dog|chien|m|A
horse|cheval|m|A
cow|vache|f|A
bird|oiseau|m|A
mouse/mice|souris|f|A
rabbit|lapin|m|A
fox|renard|m|A
wolf/wolves|loup|m|A
bear|ours|m|A
lion|lion|m|A
elephant|éléphant|m|A
monkey|singe|m|A
sheep/sheep|mouton|m|A
goat|chèvre|f|A
duck|canard|m|A
hen|poule|f|A
owl|hibou/hiboux|m|A
frog|grenouille|f|A
snake|serpent|m|A
bee|abeille|f|A
spider|araignée|f|A
squirrel|écureuil|m|A
turtle|tortue|f|A
animal|animal|m|A
apple|pomme|f|F
pear|poire|f|F
orange|orange|f|F
egg|œuf|m|F
cake|gâteau|m|F
carrot|carotte|f|F
tomato/tomatoes|tomate|f|F
strawberry|fraise|f|F
mushroom|champignon|m|F
banana|banane|f|F
bread|pain|m|M
cheese|fromage|m|M
meat|viande|f|M
rice|riz|m|M
butter|beurre|m|M
honey|miel|m|M
soup|soupe|f|M
chocolate|chocolat|m|M
salad|salade|f|M
water|eau|f|D
milk|lait|m|D
tea|thé|m|D
coffee|café|m|D
wine|vin|m|D
juice|jus|m|D
oil|huile|f|M
book|livre|m|R
letter|lettre|f|R
newspaper|journal|m|R
story|histoire|f|R
poem|poème|m|R
message|message|m|R
hat|chapeau|m|C
coat|manteau|m|C
dress|robe|f|C
shirt|chemise|f|C
shoe|chaussure|f|C
skirt|jupe|f|C
scarf/scarves|écharpe|f|C
glove|gant|m|C
pencil|crayon|m|T
knife/knives|couteau|m|T
spoon|cuillère|f|T
plate|assiette|f|T
cup|tasse|f|T
glass|verre|m|T
bottle|bouteille|f|T
key|clé|f|T
clock|horloge|f|T
lamp|lampe|f|T
mirror|miroir|m|T
picture|tableau|m|T
ball|balle|f|T
toy|jouet|m|T
umbrella|parapluie|m|T
computer|ordinateur|m|T
phone|téléphone|m|T
ring|bague|f|T
jewel|bijou/bijoux|m|T
gift|cadeau|m|T
box|boîte|f|X
basket|panier|m|X
bag|sac|m|X
drawer|tiroir|m|X
cupboard|armoire|f|X
door|porte|f|O
window|fenêtre|f|O
table|table|f|U
chair|chaise|f|U
bed|lit|m|U
bench|banc|m|U
carpet|tapis|m|U
house|maison|f|LB
garden|jardin|m|L
kitchen|cuisine|f|L
bedroom|chambre|f|L
school|école|f|LB
church|église|f|LB
castle|château|m|LB
hotel|hôtel|m|LB
hospital|hôpital|m|LB
museum|musée|m|LB
library|bibliothèque|f|LB
park|parc|m|L
forest|forêt|f|L
city|ville|f|L
village|village|m|L
street|rue|f|L
bakery|boulangerie|f|LB
restaurant|restaurant|m|LB
market|marché|m|L
station|gare|f|LB
shop|magasin|m|LB
cave|grotte|f|L
field|champ|m|L
bridge|pont|m|S
beach|plage|f|S
island|île|f|S
hill|colline|f|S
mountain|montagne|f|S
roof|toit|m|S
car|voiture|f|V
train|train|m|V
plane|avion|m|V
boat|bateau|m|V
bus|autobus|m|V
bicycle|vélo|m|V
tree|arbre|m|N
flower|fleur|f|N
star|étoile|f|N
river|rivière|f|N
lake|lac|m|N
stone|pierre|f|N
leaf/leaves|feuille|f|N
rose|rose|f|N
cloud|nuage|m|N
piano|piano|m|I
guitar|guitare|f|I
violin|violon|m|I
flute|flûte|f|I
"""

# English | its comparative, or - | French masculine | feminine | before (b) or after (a) the noun | classes
ADJECTIVES = """
big|bigger|grand|grande|b|ATXULBSVNCFO
small|smaller|petit|petite|b|PATXULBSVNCFORI
beautiful|more beautiful|beau|belle|b|PALBSVNRCTI
pretty|prettier|joli|jolie|b|ACTXULBNIO
old|older|vieux|vieille|b|PATXULBSVNCRIO
new|newer|nouveau|nouvelle|b|PTXULBVCRIO
young|younger|jeune|jeune|b|PA
good|better|bon|bonne|b|PFMDRT
bad|-|mauvais|mauvaise|b|FMDR
long|longer|long|longue|b|RCSN
fat|fatter|gros|grosse|b|A
red|-|rouge|rouge|a|FCTXUVNOA
blue|-|bleu|bleue|a|CTXUVNOA
green|-|vert|verte|a|FCTXUVNOA
white|-|blanc|blanche|a|ACTXULVNOI
black|-|noir|noire|a|ACTXUVNOI
yellow|-|jaune|jaune|a|FCTXUVNOA
grey|-|gris|grise|a|ACTXUVNO
brown|-|brun|brune|a|ACTXUOI
happy|happier|heureux|heureuse|a|PA
sad|sadder|triste|triste|a|PAR
tired|-|fatigué|fatiguée|a|PA
clever|cleverer|intelligent|intelligente|a|PA
strong|stronger|fort|forte|a|PA
weak|weaker|faible|faible|a|PA
rich|richer|riche|riche|a|P
poor|poorer|pauvre|pauvre|a|P
fast|faster|rapide|rapide|a|AV
slow|slower|lent|lente|a|AV
quiet|quieter|tranquille|tranquille|a|PLSN
noisy|noisier|bruyant|bruyante|a|PALV
dangerous|more dangerous|dangereux|dangereuse|a|ALSV
funny|funnier|drôle|drôle|a|PAR
strange|stranger|étrange|étrange|a|PATLR
kind|kinder|gentil|gentille|a|PA
brave|braver|courageux|courageuse|a|PA
careful|more careful|prudent|prudente|a|PA
lazy|lazier|paresseux|paresseuse|a|PA
famous|more famous|célèbre|célèbre|a|PLR
sick|-|malade|malade|a|PA
hot|hotter|chaud|chaude|a|DMF
cold|colder|froid|froide|a|DMF
fresh|fresher|frais|fraîche|a|FMD
delicious|-|délicieux|délicieuse|a|FMD
empty|-|vide|vide|a|XLVB
full|-|plein|pleine|a|X
heavy|heavier|lourd|lourde|a|TXUI
light|lighter|léger|légère|a|TXC
expensive|more expensive|cher|chère|a|TCVUI
dirty|dirtier|sale|sale|a|ACTXUV
clean|cleaner|propre|propre|a|CTXUVL
dry|-|sec|sèche|a|CN
broken|-|cassé|cassée|a|TUOI
open|-|ouvert|ouverte|a|OXB
closed|-|fermé|fermée|a|OXB
round|-|rond|ronde|a|UTXN
soft|softer|doux|douce|a|CAU
dark|darker|sombre|sombre|a|LB
modern|more modern|moderne|moderne|a|LBVU
wild|-|sauvage|sauvage|a|A
curious|more curious|curieux|curieuse|a|PA
proud|prouder|fier|fière|a|PA
interesting|more interesting|intéressant|intéressante|a|RLP
deep|deeper|profond|profonde|a|N
Italian|-|italien|italienne|a|PVR
French|-|français|française|a|PVR
English|-|anglais|anglaise|a|PVR
"""

# English, past | French infinitive (se X: reflexive) | subject | object classes, or - | what comes before the object
# in French | flags: s stative (its past is the imparfait), g gives to somebody, p may take an object pronoun,
# l may take a place, d takes definite objects only, e takes bare ones that stand for a kind (loves cheese)
VERBS = """
sleep slept|dormir|PA|-||l
run ran|courir|PA|-||l
walk walked|marcher|PA|-||l
sing sang|chanter|P|-||l
dance danced|danser|P|-||l
laugh laughed|rire|P|-||
cry cried|pleurer|P|-||l
work worked|travailler|P|-||l
play played|jouer|PA|-||l
swim swam|nager|PA|-||
eat ate|manger|PA|FM||
eat ate|manger|PA|-||l
travel travelled|voyager|P|-||
jump jumped|sauter|PA|-||
talk talked|parler|P|-||l
leave left|partir|P|-||
stay stayed|rester|PA|-||l
fall fell|tomber|PA|-||
wake up woke up|se réveiller|PA|-||
fall asleep fell asleep|se endormir|PA|-||l
sit down sat down|se asseoir|P|-||l
rest rested|se reposer|PA|-||l
stop stopped|se arrêter|PAV|-||
hide hid|se cacher|PA|-||l
drink drank|boire|PA|D||
see saw|voir|PA|PATLVNRXU||p
hear heard|entendre|PA|PAVI||p
watch watched|regarder|PA|PAVN||p
look for looked for|chercher|PA|PATRCX||p
find found|trouver|PA|PATRCXN||p
love loved|aimer|PA|PALFMDRN||psde
know knew|connaître|P|PLR||psd
follow followed|suivre|PA|PAV||p
help helped|aider|P|P||p
call called|appeler|P|PA||p
wait for waited for|attendre|P|PV||p
thank thanked|remercier|P|P||p
invite invited|inviter|P|P||p
understand understood|comprendre|P|PR||p
read read|lire|P|R||
write wrote|écrire|P|R||
buy bought|acheter|P|TFMCRXUVI||
sell sold|vendre|P|TFCRXUVI||g
carry carried|porter|P|TXUF||
wear wore|porter|P|C||
take took|prendre|P|TCRXF||
lose lost|perdre|P|TCR||
break broke|casser|P|TUI||
wash washed|laver|P|ACTV||
clean cleaned|nettoyer|P|UXLVO||
paint painted|peindre|P|OUNAV||
open opened|ouvrir|P|OXR||
close closed|fermer|P|OX||
drive drove|conduire|P|V||
push pushed|pousser|P|VUX||
throw threw|jeter|P|TF||
cook cooked|préparer|P|FM||
build built|construire|P|BVU||
visit visited|visiter|P|LBS||
leave left|quitter|P|LB||
choose chose|choisir|P|TFCRVUI||
finish finished|finir|P|R||
fill filled|remplir|P|X||
prefer preferred|préférer|P|AFMDCV||sde
have had|avoir|PA|TACRVF||s
need needed|avoir besoin|P|TACRVX|de|s
play played|jouer|P|I|de|
give gave|donner|P|TFCR||g
send sent|envoyer|P|R||g
show showed|montrer|P|TCRVN||g
obey obeyed|obéir|PA|P|à|
answer answered|répondre|P|P|à|
look like looked like|ressembler|PA|PA|à|s
go to went to|aller|PA|LB|à|
come from came from|venir|PA|LB|de|
arrive at arrived at|arriver|PA|LB|à|
enter entered|entrer|PA|LB|dans|
live in lived in|habiter|PA|LB|dans|s
think of thought of|penser|P|PLA|à|s
speak about spoke about|parler|P|PLARV|de|
"""

# predicates of `be` that French says with avoir or être: English | French | verb | classes
STATES = """
hungry|faim|avoir|PA
thirsty|soif|avoir|PA
cold|froid|avoir|PA
afraid|peur|avoir|PA
right|raison|avoir|P
wrong|tort|avoir|P
angry|en colère|être|P
late|en retard|être|P
at home|à la maison|être|PA
"""

# what may end a sentence: English | French | tenses: n now, p past, f future
TIMES = """
every day|tous les jours|n
in the morning|le matin|npf
in the evening|le soir|npf
at night|la nuit|n
now|maintenant|n
today|aujourd'hui|npf
yesterday|hier|p
last week|la semaine dernière|p
last year|l'année dernière|p
a long time ago|il y a longtemps|p
tomorrow|demain|f
next week|la semaine prochaine|f
next year|l'année prochaine|f
soon|bientôt|f
"""

DETERMINERS = """
the|le|la|les
this|ce|cette|
these|||ces
my|mon|ma|mes
your|votre|votre|vos
his|son|sa|ses
her|son|sa|ses
our|notre|notre|nos
their|leur|leur|leurs
every|chaque|chaque|
"""

NUMBERS = "two deux three trois four quatre five cinq six six seven sept ten dix twenty vingt several plusieurs"
