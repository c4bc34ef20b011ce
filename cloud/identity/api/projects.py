"""/v3/projects and their tags."""

from cloud.core.endpoints import ApiRequest, Reply, endpoint, route
from cloud.core.errors import PolicyNotAuthorized
from cloud.core.validation import check_body
from cloud.identity.api.collections import View, collection, link, self_links
from cloud.identity.api.ownership import home_domain
from cloud.identity.api.policies import reads_all
from cloud.identity.api.schemas import CREATE_PROJECT, SET_TAGS, UPDATE_PROJECT, listing
from cloud.identity.errors import NoSuch
from cloud.identity.models import Project
from cloud.identity.selectors import people
from cloud.identity.services import projects

_LISTING = listing("name", "domain_id", "parent_id", "enabled", "tags", "tags-any", "not-tags", "not-tags-any")


def view(request: ApiRequest, project: Project) -> View:
    """Render a project. Below a domain its parent is the domain."""
    return {
        "options": {},
        **project.extra,
        "id": project.id,
        "name": project.name,
        "domain_id": project.domain_id,
        "description": project.description,
        "enabled": project.enabled,
        "parent_id": project.parent_id or project.domain_id,
        "is_domain": False,
        "tags": project.tags,
        "links": self_links(request, "projects", project.id),
    }


@endpoint("identity:list_projects", query=_LISTING)
def index(request: ApiRequest) -> View:
    """200: projects by name, domain_id, parent_id, enabled and tags."""
    page = people.projects(request.query)
    return collection(request, "projects", (view(request, row) for row in page.rows), page.next_marker)


@endpoint("identity:create_project", status=201, body=CREATE_PROJECT)
def create(request: ApiRequest) -> View:
    """201, or 409 where the name is taken."""
    return {"project": view(request, projects.create_project(request.body["project"], home_domain(request.context)))}


@endpoint("identity:get_project")
def show(request: ApiRequest, project_id: str) -> View:
    """200 for the token's own project, and for those who may list projects."""
    if not reads_all(request.context) and request.context.project_id != project_id:
        raise PolicyNotAuthorized(policy="identity:get_project")
    return {"project": view(request, people.project(project_id))}


@endpoint("identity:update_project", body=UPDATE_PROJECT)
def update(request: ApiRequest, project_id: str) -> View:
    """200. `enabled: false` ends the project's tokens."""
    return {"project": view(request, projects.update_project(project_id, request.body["project"]))}


@endpoint("identity:delete_project", status=204)
def delete(request: ApiRequest, project_id: str) -> None:
    """204, or 403 while other projects stand below it."""
    projects.delete_project(project_id)


@endpoint("identity:list_project_tags")
def list_tags(request: ApiRequest, project_id: str) -> View:
    """200."""
    return _tags_view(request, project_id, people.project(project_id).tags)


@endpoint("identity:update_project_tags", body=SET_TAGS)
def replace_tags(request: ApiRequest, project_id: str) -> View:
    """200 with the tags that the project has now."""
    return _tags_view(request, project_id, projects.set_tags(project_id, request.body["tags"]))


@endpoint("identity:delete_project_tags", status=204)
def delete_tags(request: ApiRequest, project_id: str) -> None:
    """204."""
    projects.set_tags(project_id, [])


@endpoint("identity:get_project_tag", status=204)
def check_tag(request: ApiRequest, project_id: str, tag: str) -> None:
    """204 where the project has the tag, else 404."""
    if tag not in people.project(project_id).tags:
        raise NoSuch(kind="project tag", id=tag[:64])


@endpoint("identity:create_project_tag", status=201)
def add_tag(request: ApiRequest, project_id: str, tag: str) -> Reply:
    """201 without a body."""
    check_body(SET_TAGS, {"tags": [tag]})
    projects.add_tag(project_id, tag)
    return Reply(headers={"Location": link(request, "projects", project_id, "tags", tag)})


@endpoint("identity:delete_project_tag", status=204)
def delete_tag(request: ApiRequest, project_id: str, tag: str) -> None:
    """204."""
    projects.remove_tag(project_id, tag)


def _tags_view(request: ApiRequest, project_id: str, tags: list[str]) -> View:
    return {"tags": tags, "links": self_links(request, "projects", project_id, "tags")}


ROUTES = [
    route("/v3/projects", GET=index, POST=create),
    route("/v3/projects/<str:project_id>", GET=show, HEAD=show, PATCH=update, DELETE=delete),
    route("/v3/projects/<str:project_id>/tags", GET=list_tags, PUT=replace_tags, DELETE=delete_tags),
    route(
        "/v3/projects/<str:project_id>/tags/<str:tag>", GET=check_tag, HEAD=check_tag, PUT=add_tag, DELETE=delete_tag
    ),
]
