"""What is booked in the demo: trades, typical jobs, and what servicemen write about them. Amounts are naira."""

from __future__ import annotations

from typing import Final, NamedTuple


class Work(NamedTuple):
    """One kind of job. The estimate lies between `low` and `high` thousand naira and takes `days`."""

    description: str
    low: int
    high: int
    days: int
    findings: str
    """What the serviceman writes beside his estimate."""
    result: str
    """What he writes when it is done."""


class Trade(NamedTuple):
    """A category, how servicemen of it present themselves, and its jobs. `men` of them are approved in the demo."""

    name: str
    description: str
    men: int
    bios: tuple[str, ...]
    works: tuple[Work, ...]


PLUMBING = Trade(
    "Plumbing",
    "Leaks, blocked drains, pumps, tanks, water heaters and bathroom fittings.",
    3,
    (
        "Licensed plumber. Leak detection, pumping machines, full bathrooms. I clean up before I leave.",
        "Fifteen years with estates and hotels. Boreholes, overhead tanks, pressure pumps and everything after them.",
        "Fast with blocked drains and burst pipes. Honest price, and I show you the part before I replace it.",
    ),
    (
        Work(
            (
                "The kitchen sink drains very slowly and water comes back up when we use the washing machine. Two "
                "weeks now."
            ),
            12,
            28,
            1,
            (
                "Grease trap is full and the waste pipe to the inspection chamber has a belly. Clear it and relay 3 m"
                " of pipe."
            ),
            "Trap cleared, 3 m of 4-inch pipe relaid with fall, tested with the washing machine running.",
        ),
        Work(
            "Water heater in the master bathroom trips the breaker as soon as it heats. It is about six years old.",
            35,
            75,
            1,
            "Element is shorted and the tank is rusting from inside. New 50-litre heater, valve and flexible hoses.",
            "New heater fitted with safety valve, no leak after two hours, breaker stays on.",
        ),
        Work(
            (
                "The overhead tank overflows at night and the pump does not stop by itself. The security man switches"
                " it off."
            ),
            18,
            45,
            1,
            "Float switch is dead and the ball valve is worn. Replace both, add a relay so the pump cuts out.",
            "Float switch, ball valve and relay replaced. Tank filled twice and the pump stopped by itself.",
        ),
        Work(
            (
                "Brown stain on the ceiling below the upstairs toilet, getting bigger every day. Please come with a "
                "camera if you have one."
            ),
            40,
            110,
            2,
            (
                "Flange seal under the toilet has failed and the branch pipe is cracked. Open the ceiling, replace, "
                "close again."
            ),
            "Branch pipe and seal replaced, ceiling board closed and ready for paint. Dry since yesterday.",
        ),
        Work(
            (
                "We are renovating: two bathrooms to be fitted with new WC, basin, shower mixer and concealed "
                "cistern. Fittings already bought."
            ),
            180,
            360,
            4,
            (
                "First fix is in place. Four days for two men, materials for second fix included, your fittings as "
                "supplied."
            ),
            "Both bathrooms fitted and tested under pressure. Guarantee cards left on the kitchen table.",
        ),
        Work(
            "Pipe burst behind the kitchen cabinet, we have turned off the water for the whole flat.",
            15,
            38,
            1,
            "PPR joint has opened. Cut out the section, new joint and clips, refix the back panel.",
            "Section replaced, pressure-tested for an hour, cabinet back in place.",
        ),
    ),
)

ELECTRICAL = Trade(
    "Electrical work",
    "Wiring, distribution boards, sockets, lighting, earthing and fault finding.",
    2,
    (
        "COREN-registered technician. Fault finding is my speciality; I leave a drawing of your board behind.",
        "House wiring and change-over installation since 2009. I test every circuit before I hand over.",
    ),
    (
        Work(
            (
                "Half of the sockets in the living room are dead since NEPA brought the light back on Sunday. There "
                "is a burning smell at the board."
            ),
            20,
            55,
            1,
            "Neutral bar has burnt and one ring circuit is open. New bar, two breakers, and re-terminate the ring.",
            "Board repaired, all sockets tested for polarity and earth. Please keep the heater off the extension.",
        ),
        Work(
            "Please install a 3-phase automatic change-over between PHCN and our 20 kVA generator.",
            120,
            230,
            2,
            "Site has three phases but one is overloaded. Change-over, 16 mm cable and balancing of the loads.",
            "Change-over tested five times with load. It switches in eight seconds and back after two minutes.",
        ),
        Work(
            (
                "We moved into a new shop and need 12 LED panels, 8 double sockets and a separate point for the POS "
                "machine."
            ),
            85,
            160,
            2,
            "Surface trunking because the walls are finished. Panels supplied by you, all other material by me.",
            "All points working and labelled on the board. Certificate handed to your manager.",
        ),
        Work(
            "The breaker for the upstairs bedrooms trips every night around eight. Nothing new was added.",
            15,
            40,
            1,
            "Air conditioner and heater share one 20 A circuit in 2.5 mm. Split the circuit, new 32 A way for the AC.",
            "Circuits split, ran both for three hours without a trip.",
        ),
        Work(
            "We feel a slight shock when touching the washing machine with wet hands.",
            30,
            70,
            1,
            "There is no earth electrode at all. New earth rod with chamber, bonding and an RCD on the wet circuits.",
            "Earth reads 4 ohms, RCD trips at 22 mA. It is safe to use the machine.",
        ),
    ),
)

COOLING = Trade(
    "Air conditioning",
    "Servicing, gas, installation and repair of split units, cold rooms and fridges.",
    2,
    (
        (
            "Refrigeration engineer trained in Aba. Inverter units, cold rooms and chillers. Original parts or "
            "your money back."
        ),
        "I service split units for offices across Lagos. Weekend visits are no problem.",
    ),
    (
        Work(
            "Bedroom AC runs but does not cool. It was filled with gas only five months ago.",
            18,
            42,
            1,
            "Leak at the flare nut of the outdoor unit. Re-flare, vacuum and weigh in 0.9 kg of R410A.",
            "No leak under nitrogen, room goes from 31 to 22 degrees in twenty minutes.",
        ),
        Work(
            "The inverter AC in the sitting room shows E6 and switches off after some minutes.",
            45,
            120,
            2,
            "Outdoor board has a burnt IPM after a surge. Board exchange and a voltage protector.",
            "Board exchanged, protector set to 170-250 V. It ran the whole afternoon without a fault.",
        ),
        Work(
            (
                "We need a 1.5 HP split unit installed in a boys' quarters room, about 7 m from the outdoor position."
                " Unit is here."
            ),
            32,
            60,
            1,
            "Copper for 7 m, bracket, isolator and core drilling through 9-inch block.",
            "Installed and vacuumed, running at 6.1 A. Remote and warranty card with your mother.",
        ),
        Work(
            "Our chest freezer in the shop no longer freezes and there is a lot of drink inside it.",
            25,
            65,
            1,
            "Compressor starts, but the relay and the thermostat are gone. Change both and top up the gas.",
            "Freezing at minus 18 again. Please leave a hand's width at the back for air.",
        ),
    ),
)

GENERATORS = Trade(
    "Generators and inverters",
    "Servicing and repair of generators, inverters, batteries and solar panels.",
    1,
    (
        "Perkins and Mikano trained. Service, rewinding, AVR and control panels, and now solar hybrid systems too.",
        "Inverters and lithium batteries, from one bedroom to a whole estate.",
    ),
    (
        Work(
            "The generator starts but gives no light. The engine sounds normal.",
            30,
            85,
            1,
            "AVR is burnt and the brushes are finished. New AVR, brushes and slip-ring cleaning.",
            "Output is 230 V steady under load. Old parts left in the carton for you to see.",
        ),
        Work(
            "Routine service for a 27 kVA Perkins: oil, filters, belts. It has done 260 hours since the last one.",
            55,
            95,
            1,
            "Oil 12 litres, three filters, belt and coolant. Radiator hose should be changed as well.",
            "Serviced at 1,264 hours, load-tested for an hour, log sheet in the panel.",
        ),
        Work(
            "Our 3.5 kVA inverter only holds for forty minutes now, before it was five hours.",
            20,
            45,
            1,
            "Two of four batteries are below 10 V under load. Equalise two, replace two, re-torque all links.",
            "Bank holds 24.8 V after four hours with your normal load.",
        ),
        Work(
            "Please add four more solar panels to our roof, and check why the charge controller stops at noon.",
            90,
            210,
            2,
            "Controller overheats in the cupboard. Rails for four panels, ventilation and a 60 A MPPT controller.",
            "Panels mounted, controller moved to the corridor wall. 11.2 kWh yesterday.",
        ),
    ),
)

CARPENTRY = Trade(
    "Carpentry",
    "Doors, wardrobes, kitchen cabinets, ceilings and furniture repair.",
    1,
    (
        "Cabinet maker with my own workshop. Kitchens, wardrobes and doors that still close after the rains.",
        "Roofing, ceilings and furniture. I come to measure with samples.",
    ),
    (
        Work(
            (
                "The wardrobe doors in two bedrooms have dropped and scratch the floor. One hinge is broken out of "
                "the wood."
            ),
            15,
            35,
            1,
            "Eight soft-close hinges, glue in new blocks where it broke out, plane two doors.",
            "All doors hang straight with the same gap. Spare hinge left inside the left wardrobe.",
        ),
        Work(
            "We want a built-in TV wall with shelves in the living room, 3.2 m wide. I have a picture of what I like.",
            160,
            340,
            4,
            "HDF with walnut veneer, LED strip and cable channel. Built in my workshop, two days on site.",
            "Mounted and levelled, cables hidden. Please do not put more than 15 kg on the long shelf.",
        ),
        Work(
            "The front door swells in the rain and cannot be locked.",
            20,
            50,
            1,
            "Plane and seal the door, new strike plate, weather bar at the bottom.",
            "Closes with one finger now. Second coat of sealant is dry.",
        ),
    ),
)

PAINTING = Trade(
    "Painting",
    "Interior and exterior painting, screeding, wallpaper and waterproofing.",
    1,
    (
        "Screeding and painting, inside and outside. I cover your furniture and I finish on the day I say.",
        "Decorative finishes, stucco and wallpaper. Samples on the wall before you decide.",
    ),
    (
        Work(
            (
                "Three-bedroom flat to be repainted before the new tenant comes in, walls off-white, ceilings white. "
                "Some cracks to fill."
            ),
            140,
            260,
            4,
            "Wash, fill, one coat of screed where needed, two coats of emulsion. 70 litres in all.",
            "Finished a day early. Leftover paint is labelled by room in the store.",
        ),
        Work(
            "Damp patches on the fence side of the bedroom come back every rainy season.",
            55,
            120,
            3,
            "Outside render is cracked. Cut out, waterproof additive, two coats of membrane, then paint inside.",
            "Membrane done and painted. Please look at it after the next heavy rain.",
        ),
        Work(
            "Office reception in our brand colours, about 45 square metres. It must be over a weekend.",
            70,
            130,
            2,
            "Two men, Saturday and Sunday, low-odour paint, masking of the floor and the desk.",
            "Ready on Sunday evening, no smell left on Monday morning.",
        ),
    ),
)

CLEANING = Trade(
    "House cleaning",
    "Deep cleaning, post-construction cleaning, upholstery and regular housekeeping.",
    1,
    (
        "My team of four cleans homes and offices. We bring the machines and the soap.",
        "Upholstery and rugs, dry in four hours. Police clearance on request.",
    ),
    (
        Work(
            "Deep cleaning of a four-bedroom duplex before we move in, windows included. Painters have just left.",
            60,
            120,
            1,
            "Four cleaners for one day, paint spots on tiles and frames, ladders for the stairwell windows.",
            "Whole house done, 34 windows. Keys back at the gate.",
        ),
        Work(
            "Seven-seater sofa and two rugs to be washed, there is a juice stain on the white one.",
            25,
            50,
            1,
            "Extraction wash, stain treatment for the white rug, no guarantee for the oldest spot.",
            "Sofa and rugs washed, the stain is gone except for a light shadow.",
        ),
    ),
)

PESTS = Trade(
    "Fumigation",
    "Cockroaches, termites, rats, bedbugs and snakes: safe treatment with guarantee.",
    1,
    (
        "NESREA-certified. Odourless treatment, safe for children after two hours, three months' guarantee.",
        "Termites and bedbugs are my daily bread. I come back free of charge if one is left.",
    ),
    (
        Work(
            "Cockroaches in the kitchen in spite of spraying, especially behind the gas cooker. We have a small baby.",
            15,
            32,
            1,
            "Gel bait and growth regulator instead of spray, because of the baby. Seal the pipe openings.",
            "Bait placed and openings sealed. Second visit in two weeks is included.",
        ),
        Work(
            "Termites are coming through the door frames of two rooms, we can see the mud lines.",
            60,
            140,
            2,
            "Drill and inject along the foundation, treat the frames, replace one architrave.",
            "Injected 62 points, frames treated. Guarantee letter follows by mail.",
        ),
        Work(
            "Bedbugs in a guest house with nine rooms. We need it done quietly between guests.",
            90,
            170,
            2,
            "Heat and residual spray, room by room, two visits ten days apart.",
            "All nine rooms treated, mattress covers fitted. See you in ten days.",
        ),
    ),
)

TRADES: Final = (PLUMBING, ELECTRICAL, COOLING, GENERATORS, CARPENTRY, PAINTING, CLEANING, PESTS)
