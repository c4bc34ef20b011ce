"""Who may do what with images."""

from cloud.core.policy import anyone, project_member, project_reader, register

POLICIES = {
    "get_images": project_reader,
    "get_image": project_reader,
    "add_image": project_member,
    "modify_image": project_member,
    "delete_image": project_member,
    "upload_image": project_member,
    "download_image": project_reader,
    "deactivate": project_member,
    "reactivate": project_member,
    "get_members": project_reader,
    "add_member": project_member,
    "modify_member": project_member,
    "delete_member": project_member,
    "image:discovery": anyone,
}
register({f"image:{name}" if ":" not in name else name: rule for name, rule in POLICIES.items()})
