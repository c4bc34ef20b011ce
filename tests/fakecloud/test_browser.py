"""The admin UI in a real browser: what an operator sees and clicks. Pictures of each page lie in the state folder."""

import json

import pytest
import yaml
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from tests.fixtures.browser import chromium
from tests.fixtures.clouds import wait_until

pytestmark = pytest.mark.browser
SECONDS = 90


class Operator:
    """A person at the admin UI."""

    def __init__(self, driver, cloud):
        self.driver = driver
        self._url = f"{cloud.url}/admin/"
        self._pictures = cloud.state_dir / "screenshots"
        self._pictures.mkdir(exist_ok=True)

    def open(self, path=""):
        self.driver.get(self._url + path)

    def log_in(self, name, password):
        self.open()
        self.driver.find_element(By.NAME, "username").send_keys(name)
        self.driver.find_element(By.NAME, "password").send_keys(password)
        self.click("input[type=submit]")

    def click(self, selector):
        """Click what leads to another page, and wait for it."""
        self._leave_by(self.driver.find_element(By.CSS_SELECTOR, selector))

    def follow(self, words):
        self._leave_by(self.driver.find_element(By.LINK_TEXT, words))

    def _leave_by(self, element):
        """Click, and wait until another page stands there, whole: the mark goes with the page that bore it.

        Asking whether an element of the old page is stale, while that page goes, makes chromedriver fail at times.
        """
        self.driver.execute_script("window.leaving = true")
        element.click()
        arrived = "return !window.leaving && document.readyState === 'complete'"
        WebDriverWait(self.driver, SECONDS).until(lambda driver: driver.execute_script(arrived))

    def see(self, words, selector="body"):
        """Wait until a part of the page says something."""
        WebDriverWait(self.driver, SECONDS).until(
            lambda _: any(words in one for one in self.texts(selector)), f"{words!r} in {selector}"
        )

    def texts(self, selector):
        """Return what parts of the page say, read at one moment: a living page replaces them."""
        script = "return [...document.querySelectorAll(arguments[0])].map(one => one.innerText ?? one.textContent)"
        return self.driver.execute_script(script, selector)

    def gone(self, selector):
        """Wait until a part is in the page no more."""
        WebDriverWait(self.driver, SECONDS).until(lambda driver: not self.all(selector), f"{selector} is still there")

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def tick(self, words):
        """Tick the row of a list in which these words stand."""
        row = next(one for one in self.all("#result_list tbody tr") if words in one.text.split())
        row.find_element(By.CSS_SELECTOR, "input.action-select").click()

    def act(self, words):
        """Choose an action of a list and carry it out."""
        Select(self.driver.find_element(By.NAME, "action")).select_by_visible_text(words)
        self.click("button[name=index]")

    def picture(self, name):
        """Keep the whole page as a picture."""
        height = self.driver.execute_script("return document.documentElement.scrollHeight")
        self.driver.set_window_size(1400, min(max(height + 140, 700), 3000))
        path = self._pictures / f"{name}.png"
        assert self.driver.save_screenshot(str(path))
        self.driver.set_window_size(1400, 1000)
        return path


@pytest.fixture(scope="module")
def operator(cloud):
    with chromium() as driver:
        person = Operator(driver, cloud)
        clouds = yaml.safe_load((cloud.state_dir / "clouds.yaml").read_text())["clouds"]
        person.log_in("admin", clouds["novella-admin"]["auth"]["password"])
        yield person


@pytest.fixture(scope="module")
def servers(cloud):
    cloud.openstack("server", "create", "--image", "tiny", "--flavor", "m1.tiny", "--network", "demo", "--wait",
                    "--min", "3", "--max", "3", "web")
    found = {row["Name"]: row["ID"] for row in cloud.show("server", "list") if row["Name"].startswith("web-")}
    assert len(found) == 3
    yield found
    cloud.openstack("server", "delete", "--wait", *found.values())


def test_a_wrong_password_and_a_tenant_are_refused(cloud):
    clouds = yaml.safe_load((cloud.state_dir / "clouds.yaml").read_text())["clouds"]
    with chromium() as driver:
        person = Operator(driver, cloud)
        person.open()
        person.picture("login")
        for name, password in (("admin", "wrong"), ("demo", clouds["novella"]["auth"]["password"])):
            person.log_in(name, password)
            person.see("Please enter the correct", ".errornote")


def test_the_first_page_lives(cloud, operator, servers):
    operator.open()
    operator.see("20 / 20", ".tile")
    operator.see("servers", ".tile")
    operator.picture("first-page")
    before = next(one for one in operator.texts(".tile") if "servers" in one)
    cloud.openstack("server", "create", "--image", "tiny", "--flavor", "m1.tiny", "--network", "demo", "--wait", "late")

    def has_changed():
        return before not in operator.texts(".tile")

    try:
        # Nobody reloads the page.
        wait_until(has_changed, "the first page to count the new server", SECONDS)
    finally:
        cloud.openstack("server", "delete", "--wait", "late")


def test_servers_are_found_filtered_and_stopped(operator, servers, cloud):
    operator.open("compute/instance/")
    operator.see("web-1", "#result_list")
    operator.picture("servers")
    operator.open("compute/instance/?q=web-2")
    assert len(operator.all("#result_list tbody tr")) == 1
    operator.tick("web-2")
    operator.act("Stop selected servers")
    operator.see("Server web-2 is stopping.", ".messagelist")
    cloud.wait_settled(servers["web-2"], "SHUTOFF", SECONDS)
    operator.open("compute/instance/?status=SHUTOFF")
    operator.see("web-2", "#result_list")
    operator.tick("web-2")
    operator.act("Stop selected servers")
    operator.see("Cannot 'stop' instance", ".messagelist .error")
    operator.picture("refusal")


def test_a_server_leads_to_its_operations_and_their_steps(operator, servers):
    operator.open("compute/instance/?q=web-2")
    operator.follow("web-2")
    operator.see("stop succeeded", ".graph figcaption")
    operator.picture("server")
    operator.follow("create")
    operator.see("spawn server", ".graph svg")
    assert len(operator.all(".graph .step.done")) == 6
    assert len(operator.all(".graph .edge.done")) == 6
    operator.picture("operation")
    operator.follow("as a list")
    assert len(operator.all("#result_list tbody tr")) == 6
    operator.picture("steps")
    operator.open("compute/operation/")
    operator.see("web-2", "#result_list")
    operator.picture("operations")


def test_the_buttons_of_a_server_and_its_living_picture(operator, servers):
    operator.open("compute/instance/?q=web-2")
    operator.follow("web-2")
    assert not operator.driver.find_element(By.NAME, "stop").is_enabled()
    operator.click("button[name=start]")
    # The picture is shown anew until the operation ends; then the page is, with the server's new state.
    operator.see("start succeeded", ".graph figcaption")
    operator.see("ACTIVE", ".field-status")
    operator.gone("[data-live][data-running]")
    operator.click("button[name=delete]")
    operator.see("This server will be gone")
    operator.picture("delete")
    operator.click("a.closelink")


@pytest.fixture
def held(cloud):
    """Return a function that lets hosts come to no end, so that a person can watch, or to theirs."""
    hosts = [one.name for one in cloud.connect("novella-admin").compute.hypervisors()]
    paths = [cloud.state_dir / "fake" / f"{name}.faults.json" for name in hosts]

    def hold(is_held):
        verbs = ("define",) if is_held else ()
        for path in paths:
            draft = path.with_suffix(".draft")
            draft.write_text(json.dumps([{"verb": verb, "delay_seconds": 600} for verb in verbs]))
            draft.rename(path)

    yield hold
    for path in paths:
        path.unlink()


def test_the_health_page_says_what_is_under_way(operator, cloud, held):
    operator.open("health/")
    operator.see("every server is at rest", ".tile")
    operator.picture("health")
    held(True)
    cloud.connect().create_server("long", image="tiny", flavor="m1.tiny", network="demo", auto_ip=False)
    operator.see("long, ", ".tile")
    held(False)
    operator.see("every server is at rest", ".tile")
    cloud.openstack("server", "delete", "--wait", "long")


def test_networks_are_drawn_and_nobody_reloads(operator, cloud, servers):
    operator.open("topology/")
    operator.see("demo", ".graph .network .name")
    operator.see("web-1", ".graph .server .name")
    cloud.openstack("network", "create", "drawn")
    cloud.openstack("subnet", "create", "--network", "drawn", "--subnet-range", "10.77.0.0/24", "drawn")
    cloud.openstack("router", "create", "gate")
    cloud.openstack("router", "add", "subnet", "gate", "drawn")
    try:
        operator.see("10.77.0.0/24", ".graph .network")
        operator.see("gate", ".graph .router .name")
        operator.see("gate in drawn", ".graph .wire title")
        operator.picture("topology")
    finally:
        cloud.openstack("router", "remove", "subnet", "gate", "drawn")
        cloud.openstack("router", "delete", "gate")
        cloud.openstack("network", "delete", "drawn")
    wait_until(lambda: "gate" not in operator.texts(".graph .router .name"), "the router to leave the picture", SECONDS)


def test_a_port_says_what_its_host_has_of_it(operator, cloud, servers):
    (port,) = cloud.show("port", "list", "--server", servers["web-1"])
    operator.open(f"networks/port/{port['ID']}/change/")
    operator.see("pass by 2 rules", ".examination")
    assert operator.all(".examination tr.wrong") == []
    operator.picture("port")
    operator.follow("Its network as a picture")
    operator.see("web-1", ".graph .server .name")


def test_a_host_is_disabled_and_enabled(operator, cloud):
    operator.open("compute/service/")
    operator.tick("fake-007")
    operator.act("Disable selected hosts")
    operator.see("Host fake-007 is disabled.", ".messagelist")
    operator.picture("hosts")
    assert "disabled: admin by an operator" in cloud.manage("cloud_status")
    operator.open()
    operator.see("1 disabled", ".tile")
    operator.open("compute/service/?q=fake-007")
    operator.tick("fake-007")
    operator.act("Enable selected hosts")
    operator.see("Host fake-007 is enabled.", ".messagelist")
    assert "0 disabled" in cloud.manage("cloud_status")


def test_a_failure_shows_its_reason_on_the_first_page(operator, cloud):
    cloud.manage("flavor", "create", "giant", "--ram", "90000000", "--disk", "1")
    cloud.openstack("server", "create", "--image", "tiny", "--flavor", "giant", "--network", "demo", "big")
    try:
        operator.open()
        operator.see("create big", ".panel")
        operator.see("lack 90000000 MB of memory", ".panel")
        operator.picture("failures")
        operator.follow("create big")
        operator.see("NoValidHost", ".graph figcaption")
        assert len(operator.all(".graph .step.failed")) == 1
        operator.picture("failed-operation")
    finally:
        cloud.openstack("server", "delete", "--wait", "big")
        cloud.manage("flavor", "delete", "giant")


def test_the_browser_had_no_complaint(operator):
    assert [one for one in operator.driver.get_log("browser") if one["level"] == "SEVERE"] == []
