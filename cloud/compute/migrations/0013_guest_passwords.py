from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('compute', '0012_host_underlays'),
    ]

    operations = [
        migrations.CreateModel(
            name='GuestPassword',
            fields=[
                ('instance_uuid', models.CharField(max_length=36, primary_key=True, serialize=False)),
                ('password', models.TextField()),
            ],
        ),
    ]
