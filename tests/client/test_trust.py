from __future__ import annotations

from pathlib import Path

from portside.client.trust import PersonsTrust


def test_certificates_lie_where_docker_and_podman_look(tmp_path: Path) -> None:
    docker = tmp_path / "etc/docker/certs.d/r.example:5000"
    podman = tmp_path / "home/.config/containers/certs.d/r.example:5000"
    for folder in (docker, podman):
        folder.mkdir(parents=True)
        (folder / "ca.crt").write_text("x")
    (docker / "client.cert").write_text("x")
    (docker / "client.key").write_text("x")
    (docker / "alone.cert").write_text("x")
    trust = PersonsTrust({"HOME": str(tmp_path / "home")}, tmp_path)
    found = trust.of("r.example:5000")
    assert found.ca_files == (podman / "ca.crt", docker / "ca.crt")
    assert found.client_certificate == (docker / "client.cert", docker / "client.key")
    assert trust.of("r.example").ca_files == ()
    assert not found.insecure


def test_hosts_are_insecure_when_a_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "etc/docker").mkdir(parents=True)
    (tmp_path / "etc/containers").mkdir()
    (tmp_path / "etc/docker/daemon.json").write_text('{"insecure-registries": ["a.example:5000"]}')
    (tmp_path / "etc/containers/registries.conf").write_text(
        '[[registry]]\nlocation = "b.example"\ninsecure = true\n[[registry]]\nlocation = "c.example"\n'
    )
    trust = PersonsTrust({"HOME": str(tmp_path)}, tmp_path)
    assert [trust.is_insecure(host) for host in ("a.example:5000", "b.example", "c.example", "a.example")] == [
        True,
        True,
        False,
        False,
    ]


def test_broken_files_trust_nobody(tmp_path: Path) -> None:
    (tmp_path / "etc/docker").mkdir(parents=True)
    (tmp_path / "etc/containers").mkdir()
    (tmp_path / "etc/docker/daemon.json").write_text("{")
    (tmp_path / "etc/containers/registries.conf").write_text("= [")
    assert not PersonsTrust({}, tmp_path).is_insecure("a.example")
