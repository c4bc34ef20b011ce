"""What is wrong with a QoS policy or a rule of one."""

from cloud.core.errors import Conflict, NotFound


class QosPolicyNotFound(NotFound):
    """QoS policy {policy_id} could not be found."""


class QosRuleNotFound(NotFound):
    """QoS rule {rule_id} for policy {policy_id} could not be found."""


class QosRuleTypeNotFound(NotFound):
    """QoS rule type {rule_type} could not be found."""


class QosPolicyInUse(Conflict):
    """QoS Policy {policy_id} is used by {users}."""


class QosRulesConflict(Conflict):
    """Rule bandwidth_limit conflicts with another rule of its direction in QoS Policy {policy_id}."""


class QosPolicyDefaultExists(Conflict):
    """A default QoS policy exists for project {project_id}."""

    code = "QoSPolicyDefaultAlreadyExists"
