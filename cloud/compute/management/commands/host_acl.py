"""`manage.py host_acl`."""

from django.core.management.base import BaseCommand

from cloud.compute.services.broker_users import acl_lines


class Command(BaseCommand):
    help = "Show the hosts' users as lines of Redis' ACL file, for a Redis whose users the cloud may not change."

    def handle(self, *args: object, **options: object) -> None:
        for line in acl_lines():
            self.stdout.write(line)
