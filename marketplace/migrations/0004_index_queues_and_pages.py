"""Indexes for what grows with the past: the queues of every page, deep pages, the version before a version."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('marketplace', '0003_append_only'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name='historicalservicerequest',
            index=models.Index(fields=['id', 'history_id'], name='request_history_in_order'),
        ),
        migrations.AddIndex(
            model_name='ledgerentry',
            index=models.Index(fields=['kind'], name='ledger_entries_by_kind', opclasses=['varchar_pattern_ops']),
        ),
        migrations.AddIndex(
            model_name='notification',
            index=models.Index(condition=models.Q(('sent_to_email', False)), fields=['created_at'], name='notifications_unsent'),
        ),
        migrations.AddIndex(
            model_name='payment',
            index=models.Index(condition=models.Q(('status', 'PENDING')), fields=['created_at'], name='payments_open'),
        ),
        migrations.AddIndex(
            model_name='payment',
            index=models.Index(condition=models.Q(('outcome__in', ['LATE', 'DUPLICATE', 'MISMATCH', 'SUPERSEDED'])), fields=['outcome', 'created_at'], name='payments_not_applied'),
        ),
        migrations.AddIndex(
            model_name='payment',
            index=models.Index(condition=models.Q(('channel', 'MANUAL')), fields=['-id'], name='payments_by_hand'),
        ),
        migrations.AddIndex(
            model_name='servicerequest',
            index=models.Index(fields=['is_deleted', '-created_at', '-id'], name='requests_newest_shown'),
        ),
    ]
