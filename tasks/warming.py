"""Compiling kernels in a process of its own, as long as the worker that started it lives."""

from glasscreep.tasks.parent import die_with_parent


def main() -> None:
    """Compile what is not yet compiled."""
    die_with_parent()
    from glasscreep.analysis.warm import warm_kernels  # takes longer than a worker may live

    for _ in warm_kernels():
        pass


if __name__ == "__main__":
    main()
