"""Routes of classes, enrolments and reference photos."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from online_guard.api.bodies import ClassBody, EnrolmentBody, Id
from online_guard.api.callers import (
    PLATFORM,
    ImageBytes,
    PlatformId,
    TheCaller,
    TheHouse,
    callers,
    looking_at_pictures,
    own_platform,
)
from online_guard.api.raw_bodies import an_image
from online_guard.errors import ErrorKind, GuardError
from online_guard.service import registration
from online_guard.service.assessing import satisfaction

router = APIRouter(tags=["登记 registration"])
ClassId = Annotated[Id, Path(description="班次 class")]
EnrolmentId = Annotated[Id, Path(description="报名 enrolment")]
CREATED, OK = 201, 200


@router.put(
    "/classes/{class_id}", summary="登记或修改班次 / register or change a class", openapi_extra=callers(PLATFORM)
)
def put_class(
    house: TheHouse, response: Response, class_id: ClassId, body: ClassBody, caller: TheCaller
) -> dict[str, Any]:
    """Register or change a class with its syllabus; refused once sessions exist that the change would void.

    One that starts while its institution is suspended is kept; `suspension` tells that nobody of it will be eligible.
    """
    if body.class_id not in (None, class_id):
        raise GuardError(
            ErrorKind.INVALID, "class.id_differs", "与路径中的班次标识不同 / differs from the path", where="/class_id"
        )
    platform_id = own_platform(caller, body.platform_id, "/platform_id")
    is_new = registration.put_class(house, body.typed(class_id, platform_id or ""))
    response.status_code = CREATED if is_new else OK
    told = body.model_dump(mode="json") | {"class_id": class_id, "platform_id": platform_id}
    stop = satisfaction.suspension_at(house, body.institution, body.starts_on)
    return told if stop is None else told | {"suspension": stop.as_row()}


@router.put(
    "/classes/{class_id}/enrolments/{enrolment_id}",
    summary="学员报名 / enrol a learner",
    openapi_extra=callers(PLATFORM),
)
def put_enrolment(
    house: TheHouse,
    response: Response,
    class_id: ClassId,
    enrolment_id: EnrolmentId,
    body: EnrolmentBody,
    platform_id: PlatformId,
) -> dict[str, Any]:
    """Enrol a learner; name and identity number are sealed, and never told again."""
    is_new, told = registration.put_enrolment(
        house,
        class_id,
        enrolment_id,
        platform_id,
        name=body.name,
        identity_number=body.identity_number,
        applicant=body.applicant,
        face_checks=str(body.face_checks),
        leave=body.leaves(),
    )
    response.status_code = CREATED if is_new else OK
    return told


@router.put(
    "/enrolments/{enrolment_id}/reference-photo",
    summary="登记照 / the reference photo",
    openapi_extra=callers(PLATFORM) | an_image(),
)
async def put_reference_photo(
    house: TheHouse, response: Response, enrolment_id: EnrolmentId, image: ImageBytes, platform_id: PlatformId
) -> dict[str, Any]:
    """Keep the reference face: JPEG, PNG or WebP, exactly one face, large, sharp and lit enough."""
    is_new, told = await looking_at_pictures(registration.put_reference_photo, house, enrolment_id, platform_id, image)
    response.status_code = CREATED if is_new else OK
    return told
