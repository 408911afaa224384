"""What goes in and out of /api/v1/embed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints


class Wanted(BaseModel):
    """The dashboard that a page will show."""

    model_config = ConfigDict(extra="forbid")
    dashboard: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{0,63}$")] = Field(examples=["operations"])


class GuestToken(BaseModel):
    """What a page needs to show it, for a few minutes."""

    token: str
    expires_at: datetime
    dashboard_id: UUID = Field(description="as Superset's embedding calls it")
    superset_url: str = Field(description="where the frame is served: <superset_url>/embedded/<dashboard_id>")
