"""Which server somebody means who types a part of its name."""

from django.core.management.base import CommandError

from cloud.compute.models import Instance

NOT_FOUND = 2


def find_server(text: str) -> Instance:
    """Return the one server that is meant, a living one before dead ones of the same name.

    Raises:
        CommandError: there is none, or more than one; as an exit status this is 2.
    """
    by_id = Instance.objects.filter(uuid=text).first()
    if by_id:
        return by_id
    named = list(Instance.objects.filter(display_name=text).order_by("deleted", "-id")[:20])
    if not named and len(text) >= 4:
        named = list(Instance.objects.filter(uuid__startswith=text).order_by("deleted", "-id")[:20])
    living = [one for one in named if not one.deleted] or named[:1]
    if not living:
        raise CommandError(f"There is no server whose id or name is {text!r}.", returncode=NOT_FOUND)
    if len(living) > 1:
        candidates = "\n".join(f"  {one.uuid}  {one.display_name}  in project {one.project_id}" for one in living)
        text = f"{len(living)} servers are called {text!r}; name one by its id:\n{candidates}"
        raise CommandError(text, returncode=NOT_FOUND)
    return living[0]
