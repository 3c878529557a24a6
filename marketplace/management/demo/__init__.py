"""The demo: invented people and their jobs, told through the services on a moved clock."""
