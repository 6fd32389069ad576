"""What stands on the sample pages."""

RIGHT = ">"  # begins a line that is set against the right margin; no part of the truth
STOP = "\t"  # moves to the next tab stop; a space in the truth

LETTER = """\
>Harrow Lane, 14 March 1897
My dear Eleanor,
Your parcel came on Tuesday, and the
children have not left the lemon tarts
in peace since. Thomas has a cold, but
he reads by the window and complains
only of the dog. The river is high and
the lower bridge was shut for two days,
so the post went round by Weston Mill.
I have put aside your father's papers:
there are nine boxes, and none in order.
Come before Easter if the roads allow.
>Ever your affectionate cousin,
>Harriet Lowe"""

RULED = """\
>Saint-Aubin, le 8 février 1901
Ma chère sœur,
J'ai bien reçu ta lettre du 30 janvier.
Ici, l'hiver est rude : la fontaine a gelé
et l'école reste fermée depuis lundi.
Père va mieux, Dieu merci ; il a dîné
hier à table et goûté à ta confiture.
René espère être nommé à Besançon
avant l'été. Où logera-t-il ? Là-bas,
tout coûte cher, même le pain.
Écris-nous dès que tu pourras.
>Ta sœur qui t'aime, Hélène"""

ROTATED = """\
Notice to the reading room
Readers are asked to sign their names
on arrival, and to leave their coats
and umbrellas with the porter.
Pencils only may be used. No more
than three bundles will be brought
at one time, and none after four.
>J. Wexford, Keeper"""

COLUMNS = (
    """\
Plum jam
Take six pounds of
ripe plums, halve
and stone them, and
weigh out as much
sugar. Let all stand
one night in a deep
pan. Next morning
boil it gently for
forty minutes, and
skim it with care.""",
    """\
Ginger beer
Bruise two ounces
of ginger and put it
in a crock with the
rind of two lemons.
Pour on a gallon of
boiling water; when
it is cool, stir in
a spoon of yeast.
Bottle after a day,
and keep it cold.""",
)

LEDGER = (
    """\
Expenses of the archive, 1902
3 Jan.\tLamp oil, two gallons\t£0 4s. 6d.
9 Jan.\tPaper, four reams\t£1 12s. 0d.
17 Jan.\tMr. Pym, for binding\t£2 15s. 8d.
24 Jan.\tCoal, half a ton\t£0 13s. 0d.
1 Feb.\tInk and steel nibs\t£0 3s. 9d.
8 Feb.\tRepairs to the roof\t£7 10s. 0d.
20 Feb.\tCarriage of 36 boxes\t£1 1s. 4d.
28 Feb.\tWages, two clerks\t£9 6s. 0d.
>Carried over £23 6s. 3d.""",
    """\
Expenses, continued
05/03/1902\tGlass for a case\t£0 18s. 2d.
12/03/1902\tStamps, 240 at 1d.\t£1 0s. 0d.
19/03/1902\tTwine and labels\t£0 2s. 7d.
27/03/1902\tSweep, 5 chimneys\t£0 7s. 6d.
04/04/1902\tCatalogue, 150 cards\t£3 14s. 0d.
16/04/1902\tNew lock and 6 keys\t£0 11s. 3d.
30/04/1902\tWages, two clerks\t£9 6s. 0d.
>In all £39 5s. 9d.""",
    """\
>2 May 1902
Examined the accounts of the archive
from 3 January to 30 April 1902, with
15 receipts, numbered 1 to 15.
Receipt no. 6 is wanting (£7 10s.) and
will be asked for again.
Paid £39 5s. 9d., received £45 0s. 0d.;
there remain £5 14s. 3d. in the box.
>Found correct, E. Marsh""",
)

# The capitals C, F, R, U and W of the diarist's font look like small letters or other ones, so that no text has them.
DIARY = (
    """\
Monday, 5 May
Dry and cold. Edith and I walked
to the station for the noon train;
it was late by an hour, and we sat
in the waiting room with a man who
kept two ferrets in a basket. Henry
has grown thin, but laughs as he
always did. He brought me a brass
compass and a bag of almonds. Ate
mutton, and talked until eleven.""",
    """\
Tuesday, 6 May
Heavy rain. Henry slept, and I
copied out the parish list as far
as the year 1788. The hand changes
there, and half the names with it.
Edith found a pressed fern between
the leaves; nobody knows how long
it has been there. Put it back, and
wrote to Mr. Pym about the binding.
To bed at ten, with a headache.""",
)

PHONE = """\
Dear Mr. Wexford,
I send back the two maps that you
were kind enough to lend me. The
larger one has a small tear in the
fold; it was there before, but I am
sorry that I did not say so at once.
May I keep the survey of 1846 until
the end of June? I have still to
trace the old canal on it.
>Yours truly, A. Brandt"""


def truth(text: str) -> str:
    """The text as a reader would copy it: without the marks that say where it stands."""
    return text.replace(RIGHT, "").replace(STOP, " ")
