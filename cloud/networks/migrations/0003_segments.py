"""Networks get what carries them between hosts; those that are there become VXLAN networks with a number each."""

from django.db import migrations, models


def number_networks(apps, schema_editor):
    """Number the networks that are there, the oldest first."""
    network = apps.get_model("networks", "Network")
    ids = network.objects.filter(segmentation_id=None).order_by("created_at", "id").values_list("id", flat=True)
    for number, network_id in enumerate(list(ids), start=1):
        network.objects.filter(id=network_id).update(segmentation_id=number)


class Migration(migrations.Migration):

    dependencies = [
        ("networks", "0002_routers"),
    ]

    operations = [
        migrations.AddField("network", "network_type", models.CharField(default="vxlan", max_length=16)),
        migrations.AddField("network", "physical_network", models.CharField(blank=True, default="", max_length=64)),
        migrations.AddField("network", "segmentation_id", models.IntegerField(blank=True, null=True)),
        migrations.RunPython(number_networks, migrations.RunPython.noop),
        migrations.AddConstraint("network", models.UniqueConstraint(
            fields=("network_type", "physical_network", "segmentation_id"), name="one_network_of_segment")),
        migrations.AddConstraint("network", models.UniqueConstraint(
            condition=models.Q(("network_type", "flat")), fields=("physical_network",), name="one_flat_network")),
    ]
