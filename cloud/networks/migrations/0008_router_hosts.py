from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('networks', '0006_host_networks'),
    ]

    operations = [
        migrations.AddField(
            model_name='router',
            name='host',
            field=models.CharField(blank=True, db_index=True, default='', max_length=255),
        ),
    ]
