"""Tables of the identity domain (global database)."""

from cloud.identity.models.assignments import Role, RoleAssignment, RoleInference
from cloud.identity.models.credentials import ApplicationCredential, Revocation, RevocationEpoch
from cloud.identity.models.people import Domain, Project, User
from cloud.identity.models.quotas import QuotaClassLimit, QuotaLimit, QuotaUsage

__all__ = [
    "ApplicationCredential", "Domain", "Project", "QuotaClassLimit", "QuotaLimit", "QuotaUsage", "Revocation",
    "RevocationEpoch", "Role", "RoleAssignment", "RoleInference", "User",
]
