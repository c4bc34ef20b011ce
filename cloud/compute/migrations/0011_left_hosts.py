"""What a host that was off and was done without may still have of a server that was taken back."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('compute', '0010_listing_indexes'),
    ]

    operations = [
        migrations.AddField(
            model_name='migration',
            name='left_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name='migration',
            index=models.Index(condition=models.Q(('left_at__isnull', False)), fields=['dest_compute'], name='left_at_dest'),
        ),
    ]
