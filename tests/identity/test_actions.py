"""The table of actions against the service model: nothing that can be asked for has no row."""

from __future__ import annotations

from portside.aws.ecr import model
from portside.identity.actions import ACTIONS, WITHOUT_OPERATION


def test_every_operation_of_the_model_is_an_action_and_no_other_has_an_operation() -> None:
    assert {f"ecr:{name}" for name in model.OPERATIONS} == set(ACTIONS) - WITHOUT_OPERATION


def test_the_reference_has_sixty_actions_and_five_operations_are_not_in_it_yet() -> None:
    assert len(ACTIONS) == 60 + 5
    assert sum(action.on_repository for action in ACTIONS.values()) == 35 + 1  # and ListImageReferrers


def test_an_operation_whose_request_names_a_repository_acts_on_it() -> None:
    for name, operation in model.OPERATIONS.items():
        members = {"repositoryName", "repositoryNames", "resourceArn"} & set(operation.request.__struct_fields__)
        assert ACTIONS[f"ecr:{name}"].on_repository == bool(members), name
