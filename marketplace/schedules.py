"""Jobs by the clock, as data. `migrate` makes the schedules be exactly these. Times are Lagos."""

from datetime import time

from core.jobs import Periodic

EARLY, MORNING = time(3), time(6)

SCHEDULES = (
    Periodic("Mails that are due", "marketplace.tasks.send_due_emails", 1),
    Periodic("Payments without an answer", "marketplace.tasks.check_payments", 1),
    Periodic("Refunds under way", "marketplace.tasks.check_refunds", 10),
    Periodic("Chargebacks", "marketplace.tasks.check_disputes", 60),
    Periodic("Events to act on again", "marketplace.tasks.replay_events", 2),
    Periodic("Offers nobody answered", "marketplace.tasks.lapse_offers", 1),
    Periodic("Inspections overdue", "marketplace.tasks.check_overdue_inspections", 5),
    Periodic("Deadlines that have passed", "marketplace.tasks.chase_deadlines", 5),
    Periodic("Bookings nobody paid", "marketplace.tasks.expire_bookings", 10),
    Periodic("Prices nobody answered", "marketplace.tasks.cancel_silent_requests", 60),
    Periodic("Ratings recomputed", "marketplace.tasks.update_serviceman_ratings", "day", at=EARLY),
    Periodic("What is over is forgotten", "core.jobs.purge", "day", at=EARLY),
    Periodic("Revenue of the day", "marketplace.tasks.generate_revenue_report", "day", at=MORNING, args=("day",)),
    Periodic("Revenue of the week", "marketplace.tasks.generate_revenue_report", "week", at=MORNING, args=("week",)),
    Periodic("Revenue of the month", "marketplace.tasks.generate_revenue_report", "month", at=MORNING, args=("month",)),
)
