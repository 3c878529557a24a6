"""What the business earns and how its work, people and trades do, for the API, the console and reports.

Days are cut in Lagos. Every word is defined once, in docs/analytics.md.
"""

from marketplace.analytics.operations import Operations, OperationsReport, operations
from marketplace.analytics.overview import Overview, overview
from marketplace.analytics.people import Stars, Timeliness, categories, earnings, servicemen, stars_given, timeliness
from marketplace.analytics.periods import GroupBy, Span
from marketplace.analytics.revenue import Payable, Revenue, RevenueReport, payable, revenue, share
from marketplace.analytics.spread import Spread

__all__ = [
    "GroupBy",
    "Operations",
    "OperationsReport",
    "Overview",
    "Payable",
    "Revenue",
    "RevenueReport",
    "Span",
    "Spread",
    "Stars",
    "Timeliness",
    "categories",
    "earnings",
    "operations",
    "overview",
    "payable",
    "revenue",
    "servicemen",
    "share",
    "stars_given",
    "timeliness",
]
