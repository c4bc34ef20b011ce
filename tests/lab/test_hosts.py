"""Three hosts on one machine that take each other for machines."""

HOSTS = ("h1", "h2", "h3")


def test_the_first_guest_runs_on_one_of_them(lab):
    assert "### READY first" in lab.first_output


def test_a_second_start_changes_nothing(lab):
    before = lab.supervised()
    assert "nothing to do" in lab.lab("up")
    assert lab.supervised() == before


def test_each_has_an_identity_of_its_own(lab):
    for what in (
        ("hostname",), ("cat", "/etc/machine-id"), ("readlink", "/proc/self/ns/net"), ("readlink", "/proc/1/ns/pid"),
        ("readlink", "/proc/1/ns/mnt"), ("readlink", "/proc/1/ns/uts"), ("readlink", "/proc/1/ns/cgroup"),
        ("virsh", "capabilities"),
    ):
        answers = [lab.inside(host, *what).split("</uuid>")[0] for host in HOSTS]
        assert len(set(answers)) == 3, what
    assert [lab.inside(host, "hostname").strip() for host in HOSTS] == list(HOSTS)


def test_a_host_sees_its_own_folder_and_no_secret_of_the_cloud(lab):
    assert lab.inside("h2", "ls", str(lab.state_dir)).split() == ["lab"]
    assert lab.inside("h2", "ls", str(lab.state_dir / "lab")).split() == ["h2"]


def test_nothing_of_the_lab_listens_but_on_loopback(lab):
    for host in HOSTS:
        sockets = lab.inside(host, "ss", "-H", "-l", "-t", "-n").splitlines()
        assert {line.split()[3].rpartition(":")[0] for line in sockets} <= {"127.0.0.1", "[::1]"}


def test_status_knows_the_hosts(lab):
    lab.lab("cut", "h3")
    shown = lab.lab("status")
    lab.lab("heal", "h3")
    assert "h3           running, cut off" in shown
    assert "h2           running " in shown
