"""What is wrong with a security group or a rule."""

from cloud.core.errors import Conflict, Invalid, NotFound


class GroupNotFound(NotFound):
    """Security group {group_id} does not exist."""

    code = "SecurityGroupNotFound"


class RuleNotFound(NotFound):
    """Security group rule {rule_id} does not exist."""

    code = "SecurityGroupRuleNotFound"


class GroupInUse(Conflict):
    """Security Group {group_id} in use."""

    code = "SecurityGroupInUse"


class DefaultGroupExists(Conflict):
    """Default security group already exists."""

    code = "SecurityGroupDefaultAlreadyExists"


class DefaultGroupKept(Conflict):
    """Insufficient rights for removing default security group."""

    code = "SecurityGroupCannotRemoveDefault"


class DefaultGroupFixed(Conflict):
    """Updating default security group not allowed."""

    code = "SecurityGroupCannotUpdateDefault"


class RuleExists(Conflict):
    """Security group rule already exists. Rule id is {rule_id}."""

    code = "SecurityGroupRuleExists"


class RuleInvalid(Invalid):
    """The rule is not valid. `kind` is Neutron's name of the mistake."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self._kind = kind

    @property
    def kind(self) -> str:
        """Neutron's name of the mistake."""
        return self._kind


class RuleConflict(Invalid):
    """Conflicting value ethertype {ethertype} for CIDR {cidr}."""

    code = "SecurityGroupRuleParameterConflict"
