"""What people in the demo say to each other: reviews, haggling, reasons and complaints."""

from __future__ import annotations

from typing import Final

REVIEWS: Final[dict[int, tuple[tuple[str, str], ...]]] = {
    5: (
        (
            "Came on time, explained everything and cleaned up after himself. I will call him again.",
            "Thank you, ma. It was a pleasure.",
        ),
        ("Excellent work. He found in ten minutes what two others could not find in two weeks.", ""),
        ("Very neat and honest. He even told me what I did not need to buy.", "Thank you, I only sell what is needed."),
        ("Polite, quick and the price was exactly as agreed in the app.", ""),
        ("", ""),
        (
            "He came on a Saturday and stayed until the light was back. God bless you.",
            "Amen, and thank you for the cold water.",
        ),
        ("Best experience I have had with any artisan in this city.", ""),
        ("My tenant is happy, so I am happy. Pictures before and after were very helpful.", "You are welcome, sir."),
    ),
    4: (
        (
            "Good job. Arrived an hour late because of traffic but called ahead.",
            "Sorry again, Third Mainland was blocked.",
        ),
        ("Work is fine, some paint spots were left on the window.", ""),
        ("Solid work, fair price. The spare part took a day to arrive.", ""),
        ("", ""),
        ("Everything works. I would have liked a written guarantee.", "I will drop it with your gateman this week."),
    ),
    3: (
        ("The repair holds, but he came twice because he forgot a tool.", "That was my fault, sorry."),
        ("Okay. It took longer than he said.", ""),
    ),
    2: (("He left the place dirty and I had to clean for an hour.", "I apologise. I have spoken with my assistant."),),
    1: (("Fault came back after one day. The second visit fixed it, but I lost a freezer of fish.", ""),),
}
"""By stars: the review and the serviceman's reply, either of which may be empty."""

HAGGLING: Final = (
    (
        "It is above what I planned. Can we do a bit less? I will pay today.",
        "We can come down a little, the material alone is most of it.",
        "Will you do it for this? The client pays at once.",
        "Material went up last week, but I can manage it. Not lower please.",
    ),
    (
        "Another company gave me a lower price on the phone.",
        "For that price they do not include the pipe and the second visit. This is our best.",
        "Client has another offer. What is the least you can take?",
        "Without changing the brand of the parts this is the least.",
    ),
    (
        "I am a returning customer, please consider me.",
        "Thank you for coming back. Here is our loyalty price.",
        "She is a returning client. Can you give her something?",
        "For a regular I can do that. Greet her.",
    ),
    (
        "My husband says we should ask for a discount, it is two rooms only.",
        "Agreed in part: the second room is done on the same day, so we pass that on.",
        "Two rooms on one day: what would you take?",
        "One transport instead of two, so this is fine for me.",
    ),
)
"""The client's proposal, the office's answer, its question to the serviceman, his answer."""

DECLINED: Final = (
    "I am fully booked that day.",
    "The site is too far from my workshop, transport would eat the job.",
    "I do not have the tester for this brand.",
    "I have travelled to my village for a burial.",
)
WITHDRAWN: Final = (
    "My assistant had an accident, I cannot carry the tank alone.",
    "I saw the job: it needs scaffolding that I do not have.",
    "My car has broken down and the parts come on Thursday.",
)
CANCELLED_BY_CLIENT: Final = (
    "My brother repaired it himself.",
    "We are moving out earlier than planned.",
    "The price is above my budget this month.",
    "I booked it twice by mistake.",
    "The landlord will do it now.",
)
CANCELLED_BY_ADMIN: Final = (
    "The client has not been reachable for five days.",
    "The estate does not let our people in before a permit is there.",
    "No serviceman can take this job in that area before the date.",
)
REASSIGNED: Final = (
    "He has called in sick.",
    "His earlier job runs over by two days.",
    "The client has asked for somebody else.",
)
RETURNED: Final = (
    "Client reports that it still drips. Please go back and check the joint.",
    "Pictures show that the wall was not closed. Finish it before we confirm.",
)
ISSUES: Final = {
    "NO_SHOW": (
        "I waited from nine until two and nobody came or called.",
        "Serviceman went to the wrong gate. He goes again tomorrow at eight, client agreed.",
    ),
    "UNREACHABLE": (
        "I am at the gate and the client does not pick up the phone.",
        "Reached the client on his second number, the visit is on.",
    ),
    "QUALITY": (
        "It leaks again at the same place, and the tile he removed is broken.",
        "Serviceman replaced the joint and brought a new tile. Client confirmed by phone.",
    ),
    "SAFETY": (
        "There are bare wires in the meter cupboard beside the tank. I do not touch it like this.",
        "Electrician made it safe first. Work can go on.",
    ),
    "OTHER": (
        "The gatemen ask for a levy before they let my men in.",
        "Spoke with the estate office, there is no levy for repairs.",
    ),
}
"""By kind: what was said when it was raised, and how it was resolved."""

NOTES: Final = (
    "Client prefers WhatsApp, she is in meetings until four.",
    "Second booking from this compound, same tank. Ask about the pump.",
    "Gate closes at six, tell the serviceman to be there before.",
    "Called twice, will call back tomorrow morning.",
    "Asked for a receipt in the company's name.",
)
OFFER_NOTES: Final = (
    "",
    "",
    "",
    "Please take the long ladder.",
    "Client is at home from ten.",
    "Park outside, the street is narrow.",
)
PRICE_NOTES: Final = (
    "",
    "",
    "Includes all material and removal of the old parts.",
    "The price holds for two weeks.",
    "Second visit after ten days is included.",
)
PRICE_REASONS: Final = (
    "Rounded down for a returning client.",
    "Agreed on the phone.",
    "Material bought by the client.",
)
RESCHEDULED: Final = (
    "I have to travel, please come later.",
    "Exams this week, the children need quiet.",
    "Spare part arrives on Friday.",
)
VERIFIED: Final = ("", "", "Called the client, all fine.", "Pictures are clear.", "Client confirmed on the phone.")
ON_BEHALF: Final = ("He called in, his phone has no data.", "Confirmed by phone, the app did not load for her.")
APPLICATION_REFUSED: Final = "The certificate you uploaded is not readable, and the guarantor could not be reached."
SUSPENDED: Final = "Two clients report that he asked for cash beside the agreed price. Until we have spoken with him."
