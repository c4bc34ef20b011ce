"""What a policy row cannot know: whether the thing belongs to the caller."""

from cloud.core.context import RequestContext
from cloud.core.errors import PolicyNotAuthorized
from cloud.identity.api.policies import reads_all


def need_self(context: RequestContext, user_id: str, policy: str) -> None:
    """Let a user act for themselves only.

    Raises:
        PolicyNotAuthorized
    """
    if context.user_id != user_id:
        raise PolicyNotAuthorized(policy=policy)


def need_self_or_reader(context: RequestContext, user_id: str, policy: str) -> None:
    """Let a user see what is theirs, and those who may see everything.

    Raises:
        PolicyNotAuthorized
    """
    if not reads_all(context):
        need_self(context, user_id, policy)


def need_self_or_admin(context: RequestContext, user_id: str, policy: str) -> None:
    """Let a user change what is theirs, and admins what is anybody's.

    Raises:
        PolicyNotAuthorized
    """
    if not context.is_admin:
        need_self(context, user_id, policy)


def home_domain(context: RequestContext) -> str:
    """Return the domain in which the caller makes things where no other is named."""
    return context.domain_id or context.project_domain_id or context.user_domain_id
