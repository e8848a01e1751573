"""A task that ignores its cancellation is named in an error, and the process ends without waiting for it."""

import subprocess
import sys
import textwrap

PRELUDE = """
    import asyncio
    from s3harness.run import event_loop

    event_loop.CANCELLATION_S = 0.2


    async def stubborn():
        while True:
            try:
                await asyncio.sleep(600)
            except asyncio.CancelledError:
                pass

"""


def run(code):
    """What a process of its own prints on standard error, which ends in order."""
    source = textwrap.dedent(PRELUDE) + textwrap.dedent(code)
    ended = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stderr


def test_a_task_that_goes_on_after_the_run_is_named_and_left_behind():
    printed = run(
        """
        async def work():
            task = asyncio.create_task(stubborn())
            await asyncio.sleep(0)

        event_loop.run_until_stopped(work())
        """
    )
    assert printed == "stubborn goes on although it was cancelled; the process ends without it\n"


def test_a_request_that_goes_on_is_an_error_of_its_own_and_said_once():
    printed = run(
        """
        async def work():
            try:
                await event_loop.with_timeout(stubborn(), 0.1)
            except event_loop.StubbornError as error:
                assert str(error) == "no answer within 0.1 s, and generate() ignored its cancellation"
            else:
                raise AssertionError

        event_loop.run_until_stopped(work())
        """
    )
    assert printed == ""


def test_tasks_that_end_when_they_are_cancelled_are_waited_for():
    printed = run(
        """
        ended = []

        async def obedient():
            try:
                await asyncio.sleep(600)
            finally:
                await asyncio.sleep(0.05)
                ended.append(True)

        async def work():
            tasks = [asyncio.create_task(obedient()) for _ in range(3)]
            await asyncio.sleep(0)

        event_loop.run_until_stopped(work())
        assert len(ended) == 3
        """
    )
    assert printed == ""
