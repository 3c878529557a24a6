"""Invented people and places: names that go together, streets that do not exist in areas that do."""

from __future__ import annotations

from random import Random
from typing import Final, NamedTuple

FIRST_AND_LAST: Final = (
    (  # Yoruba
        (
            "Adebayo Adunni Ayomide Babajide Bisola Damilola Folake Gbenga Ibukun Kehinde Kunle Modupe Morenike Niyi "
            "Olamide Rotimi Seun Simisola Taiwo Temitope Titilayo Tobiloba Wale Yetunde"
        ),
        (
            "Adegoke Adeleke Adeyemi Afolabi Akinwale Alabi Awolesi Ayodele Bankole Fashola Idowu Lawal Ogundipe "
            "Olaniyan Oladele Oyelaran Popoola Salami Shonibare Sowande"
        ),
    ),
    (  # Igbo
        (
            "Adaeze Amarachi Chiamaka Chidi Chinedu Chinelo Ebuka Emeka Ifeoma Ikenna Kelechi Kosisochukwu Ngozi "
            "Nkechi Nneka Nonso Obinna Obioma Oluchi Somtochukwu Uche Uchenna Ugonna Zikora"
        ),
        (
            "Anyanwu Chukwu Eze Ezeugo Ibe Iheanacho Iwu Mbah Njoku Nwachukwu Nwosu Obi Odinaka Ogbonna Okafor Okeke "
            "Okoro Onyeka Udeh Umeh"
        ),
    ),
    (  # Hausa
        (
            "Abubakar Aisha Aminu Bashir Bilkisu Fatima Hadiza Halima Hauwa Ibrahim Kabiru Khadija Maryam Musa Nasiru "
            "Rukayya Sadiq Safiya Salisu Umar Yakubu Zainab"
        ),
        "Abdullahi Adamu Bappa Bello Danladi Dikko Garba Idris Jibril Lawan Mohammed Mustapha Sani Suleiman Usman",
    ),
    (  # The Niger Delta and the Middle Belt
        (
            "Blessing Boma Ebiere Edidiong Efe Ejiro Emem Faith Godswill Ibiso Imaobong Inemesit Osaze Oghenekaro "
            "Preye Tamuno Timi Ufuoma Voke Terver"
        ),
        (
            "Agbor Akpan Amadi Bassey Briggs Dokubo Ebong Edet Ekanem Etim Ighodaro Igoni Itama Odili Ogbeide Okon "
            "Orubu Tyav Umoren Wokoma"
        ),
    ),
)

STREETS: Final = [
    "Adunola Street",
    "Abule-Odo Close",
    "Bamgbola Crescent",
    "Channel View Road",
    "Old Depot Road",
    "Ebun Street",
    "Fola Ojora Close",
    "Gidan Kwano Street",
    "Harmony Crescent",
    "Ijaoye Lane",
    "Justice Ibekwe Road",
    "Kudirat Ayo Street",
    "Lantern Close",
    "Mango Tree Avenue",
    "Nnadi Lane",
    "Orchid View Road",
    "Palm Court",
    "Quarry Hill Road",
    "Rumuchi Street",
    "Sapele Close",
    "Tijani Street",
    "Unity Crescent",
    "Vantage Road",
    "Water Tower Road",
    "Yakasai Street",
    "Zuma View Close",
]

AREAS: Final = [
    "Surulere, Lagos",
    "Yaba, Lagos",
    "Ikeja GRA, Lagos",
    "Lekki Phase 1, Lagos",
    "Gbagada, Lagos",
    "Ajah, Lagos",
    "Magodo, Lagos",
    "Festac Town, Lagos",
    "Ikoyi, Lagos",
    "Ogudu, Lagos",
    "Maryland, Lagos",
    "Isolo, Lagos",
    "Wuse 2, Abuja",
    "Garki, Abuja",
    "Gwarinpa, Abuja",
    "Jabi, Abuja",
    "Kubwa, Abuja",
    "GRA Phase 2, Port Harcourt",
    "Rumuola, Port Harcourt",
    "Woji, Port Harcourt",
    "Bodija, Ibadan",
    "Oluyole, Ibadan",
    "Akobo, Ibadan",
]

HOMES: Final = ("", "", "", "Flat 2, ", "Flat 4B, ", "Block C, ", "Shop 7, ", "The gatehouse, ")

MOBILE_PREFIXES: Final = ("803", "805", "706", "813", "816", "903", "906")


class Name(NamedTuple):
    """A first and a last name that one person could bear."""

    first: str
    last: str

    @property
    def mailbox(self) -> str:
        """The part of the e-mail before the @."""
        return f"{self.first}.{self.last}".lower()


def names(rng: Random, count: int) -> list[Name]:
    """`count` different names, and different first names as long as there are enough of those."""
    pools = [(firsts.split(), lasts.split()) for firsts, lasts in FIRST_AND_LAST]
    every = [Name(first, last) for firsts, lasts in pools for first in firsts for last in lasts]
    if count > len(every):
        raise ValueError(f"There are {len(every)} names, not {count}.")
    rng.shuffle(every)
    seen: set[str] = set()
    fresh = [name for name in every if name.first not in seen and not seen.add(name.first)]  # type: ignore[func-returns-value]
    return [*fresh, *(name for name in every if name not in set(fresh))][:count]


def address(rng: Random) -> str:
    """A place to work at: 14 Lantern Close, Surulere, Lagos."""
    return f"{rng.choice(HOMES)}{rng.randint(2, 96)} {rng.choice(STREETS)}, {rng.choice(AREAS)}"


def phone(rng: Random, number: int) -> str:
    """A mobile number as people have them; the block 000 keeps it from being anybody's."""
    return f"+234{rng.choice(MOBILE_PREFIXES)}000{number:04d}"
