"""Several real hosts on this one machine: `make lab HOSTS=3`.

Each host is a process of the cloud's supervisor that stands for the machine's power and its cable
(`host.lab.machine`). Inside are namespaces of its own for mounts, names, processes, network and control groups, and
in them a supervisor with libvirtd, both lanes of the agent and the metadata service, as on a machine of its own.
"""
