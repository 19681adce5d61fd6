"""A small file system that nobody else sees."""
import ctypes
import os
import subprocess


def small_disk(folder, megabytes):
    """Mounted at a folder, in a mount namespace that this process goes into; false: we may not."""
    if os.geteuid() != 0 or ctypes.CDLL(None, use_errno=True).unshare(0x20000) != 0:
        return False
    # Where the root is no mount of its own, as in a chroot, others might see what is mounted.
    if subprocess.run(["mount", "--make-rprivate", "/"], capture_output=True, check=False).returncode != 0:
        return False
    return subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "none", folder], check=False).returncode == 0
