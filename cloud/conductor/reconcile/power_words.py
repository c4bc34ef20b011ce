"""What follows from the power states that hosts see, beside the states themselves: what is not to run is stopped."""

from collections.abc import Collection

from cloud.compute.services import fencing, power_reports
from cloud.conductor.reconcile import reclaim, residue
from contracts.conductor import PowerReport


def take(reports: Collection[PowerReport]) -> None:
    """Take the power states that hosts saw, by one report of each.

    In a few statements for any number of hosts; only of a host that was left while it was off each is looked at alone.
    """
    power_reports.report_power_states_of_hosts(reports)
    said = {one.host: {seen.instance_uuid for seen in one.instances} for one in reports if one.instances}
    for host in sorted(fencing.left(said)):
        residue.clear_evacuated(host, said[host])
    reclaim.keep_off(reports)
