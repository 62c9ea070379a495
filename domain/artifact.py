"""A built artifact, and the tie between what was tested and what was built."""

from dataclasses import dataclass

from domain.evidence import Evidence


@dataclass(frozen=True)
class Artifact:
    """One service, content-addressed: its listing's digest or its image's, ``size`` in bytes.

    ``reference`` is where hosts pull the image from, "" where it is sent to them.
    """

    service: str
    digest: str
    size: int
    source_digest: str
    requirements_digest: str
    reference: str = ""


def tied(evidence: Evidence, artifact: Artifact) -> tuple[str, ...]:
    """Why the evidence does not speak of this artifact; empty when it does."""
    if evidence.source_digest == artifact.source_digest:
        return ()
    tested, built = evidence.source_digest[:19], artifact.source_digest[:19]
    return (f"{artifact.service}: tested was {tested}, built was {built}",)
