"""Contains all the data models used in inputs/outputs"""

from .assign import Assign
from .billing_bills_body import BillingBillsBody
from .billing_bills_body_bill import BillingBillsBodyBill
from .billing_delivery import BillingDelivery
from .billing_delivery_kind import BillingDeliveryKind
from .billing_page import BillingPage
from .billing_receipts_body import BillingReceiptsBody
from .billing_receipts_body_receipt import BillingReceiptsBodyReceipt
from .billing_receipts_body_receipt_kind import BillingReceiptsBodyReceiptKind
from .billing_refusal import BillingRefusal
from .bulk import Bulk
from .bulk_done import BulkDone
from .case import Case
from .case_filter import CaseFilter
from .case_filter_severity_type_0 import CaseFilterSeverityType0
from .case_filter_state_type_0 import CaseFilterStateType0
from .case_in_full import CaseInFull
from .case_in_full_scope import CaseInFullScope
from .case_in_full_severity import CaseInFullSeverity
from .case_scope import CaseScope
from .case_severity import CaseSeverity
from .case_state import CaseState
from .cases_list_cases_severity_type_0 import CasesListCasesSeverityType0
from .change_request import ChangeRequest
from .change_request_channel import ChangeRequestChannel
from .close import Close
from .command import Command
from .command_parameters import CommandParameters
from .command_request import CommandRequest
from .command_request_parameters import CommandRequestParameters
from .command_result_type_0 import CommandResultType0
from .command_with_audit import CommandWithAudit
from .command_with_audit_parameters import CommandWithAuditParameters
from .command_with_audit_result_type_0 import CommandWithAuditResultType0
from .commands_page import CommandsPage
from .commands_refusal import CommandsRefusal
from .comment import Comment
from .day_state import DayState
from .decision_request import DecisionRequest
from .diff import Diff
from .diff_channel import DiffChannel
from .edit_reason import EditReason
from .edit_request import EditRequest
from .edits import Edits
from .edits_edit import EditsEdit
from .edits_edit_operation_type_0_item import EditsEditOperationType0Item
from .edits_edit_operation_type_1 import EditsEditOperationType1
from .edits_edit_state import EditsEditState
from .edits_list_edits_state_type_0 import EditsListEditsStateType0
from .edits_page import EditsPage
from .episode import Episode
from .exception_page import ExceptionPage
from .exception_state import ExceptionState
from .exceptions_page import ExceptionsPage
from .explain_delivery import ExplainDelivery
from .explain_edit import ExplainEdit
from .explain_edit_decision_type_0 import ExplainEditDecisionType0
from .explain_edit_operations_item import ExplainEditOperationsItem
from .explanation import Explanation
from .explanation_evidence import ExplanationEvidence
from .fault import Fault
from .freeze import Freeze
from .freeze_request import FreezeRequest
from .freezes import Freezes
from .group import Group
from .group_request import GroupRequest
from .group_request_parameters import GroupRequestParameters
from .group_states import GroupStates
from .health import Health
from .health_version import HealthVersion
from .interval import Interval
from .interval_outage import IntervalOutage
from .kind import Kind
from .line import Line
from .line_after import LineAfter
from .line_before import LineBefore
from .make_request import MakeRequest
from .meter import Meter
from .meter_day import MeterDay
from .meter_day_severity import MeterDaySeverity
from .meters_events_json_body import MetersEventsJsonBody
from .meters_events_json_body_events_item import MetersEventsJsonBodyEventsItem
from .meters_events_json_body_profiles_item import MetersEventsJsonBodyProfilesItem
from .meters_events_json_body_registers_item import MetersEventsJsonBodyRegistersItem
from .meters_events_json_body_values_item import MetersEventsJsonBodyValuesItem
from .meters_readings_json_body import MetersReadingsJsonBody
from .meters_readings_json_body_events_item import MetersReadingsJsonBodyEventsItem
from .meters_readings_json_body_profiles_item import MetersReadingsJsonBodyProfilesItem
from .meters_readings_json_body_registers_item import MetersReadingsJsonBodyRegistersItem
from .meters_readings_json_body_values_item import MetersReadingsJsonBodyValuesItem
from .meters_refusal import MetersRefusal
from .move import Move
from .operation_kind import OperationKind
from .operation_request import OperationRequest
from .outcome import Outcome
from .preview import Preview
from .problem_details import ProblemDetails
from .problem_details_errors_item import ProblemDetailsErrorsItem
from .proposal import Proposal
from .proposal_preview_type_0 import ProposalPreviewType0
from .proposal_request import ProposalRequest
from .proposal_request_overlay_type_1 import ProposalRequestOverlayType1
from .proposal_state import ProposalState
from .raw_value import RawValue
from .raw_value_verdict import RawValueVerdict
from .readiness import Readiness
from .receipt import Receipt
from .receipt_rejected_by_reason import ReceiptRejectedByReason
from .register import Register
from .rejected import Rejected
from .release_request import ReleaseRequest
from .reopen import Reopen
from .resolution import Resolution
from .rule import Rule
from .rule_definition import RuleDefinition
from .rule_set import RuleSet
from .rule_source import RuleSource
from .rules_list_proposals_state_type_0 import RulesListProposalsStateType0
from .rules_page import RulesPage
from .rules_version import RulesVersion
from .run import Run
from .run_basis_type_0 import RunBasisType0
from .span import Span
from .state import State
from .sum_check import SumCheck
from .summary_line import SummaryLine
from .summary_line_severity import SummaryLineSeverity
from .take import Take
from .verdict import Verdict
from .verdict_outcome import VerdictOutcome
from .version_with_rules import VersionWithRules
from .version_with_rules_rules_item import VersionWithRulesRulesItem
from .versions import Versions
from .wait import Wait

__all__ = (
    "Assign",
    "BillingBillsBody",
    "BillingBillsBodyBill",
    "BillingDelivery",
    "BillingDeliveryKind",
    "BillingPage",
    "BillingReceiptsBody",
    "BillingReceiptsBodyReceipt",
    "BillingReceiptsBodyReceiptKind",
    "BillingRefusal",
    "Bulk",
    "BulkDone",
    "Case",
    "CaseFilter",
    "CaseFilterSeverityType0",
    "CaseFilterStateType0",
    "CaseInFull",
    "CaseInFullScope",
    "CaseInFullSeverity",
    "CaseScope",
    "CaseSeverity",
    "CaseState",
    "CasesListCasesSeverityType0",
    "ChangeRequest",
    "ChangeRequestChannel",
    "Close",
    "Command",
    "CommandParameters",
    "CommandRequest",
    "CommandRequestParameters",
    "CommandResultType0",
    "CommandWithAudit",
    "CommandWithAuditParameters",
    "CommandWithAuditResultType0",
    "CommandsPage",
    "CommandsRefusal",
    "Comment",
    "DayState",
    "DecisionRequest",
    "Diff",
    "DiffChannel",
    "EditReason",
    "EditRequest",
    "Edits",
    "EditsEdit",
    "EditsEditOperationType0Item",
    "EditsEditOperationType1",
    "EditsEditState",
    "EditsListEditsStateType0",
    "EditsPage",
    "Episode",
    "ExceptionPage",
    "ExceptionState",
    "ExceptionsPage",
    "ExplainDelivery",
    "ExplainEdit",
    "ExplainEditDecisionType0",
    "ExplainEditOperationsItem",
    "Explanation",
    "ExplanationEvidence",
    "Fault",
    "Freeze",
    "FreezeRequest",
    "Freezes",
    "Group",
    "GroupRequest",
    "GroupRequestParameters",
    "GroupStates",
    "Health",
    "HealthVersion",
    "Interval",
    "IntervalOutage",
    "Kind",
    "Line",
    "LineAfter",
    "LineBefore",
    "MakeRequest",
    "Meter",
    "MeterDay",
    "MeterDaySeverity",
    "MetersEventsJsonBody",
    "MetersEventsJsonBodyEventsItem",
    "MetersEventsJsonBodyProfilesItem",
    "MetersEventsJsonBodyRegistersItem",
    "MetersEventsJsonBodyValuesItem",
    "MetersReadingsJsonBody",
    "MetersReadingsJsonBodyEventsItem",
    "MetersReadingsJsonBodyProfilesItem",
    "MetersReadingsJsonBodyRegistersItem",
    "MetersReadingsJsonBodyValuesItem",
    "MetersRefusal",
    "Move",
    "OperationKind",
    "OperationRequest",
    "Outcome",
    "Preview",
    "ProblemDetails",
    "ProblemDetailsErrorsItem",
    "Proposal",
    "ProposalPreviewType0",
    "ProposalRequest",
    "ProposalRequestOverlayType1",
    "ProposalState",
    "RawValue",
    "RawValueVerdict",
    "Readiness",
    "Receipt",
    "ReceiptRejectedByReason",
    "Register",
    "Rejected",
    "ReleaseRequest",
    "Reopen",
    "Resolution",
    "Rule",
    "RuleDefinition",
    "RuleSet",
    "RuleSource",
    "RulesListProposalsStateType0",
    "RulesPage",
    "RulesVersion",
    "Run",
    "RunBasisType0",
    "Span",
    "State",
    "SumCheck",
    "SummaryLine",
    "SummaryLineSeverity",
    "Take",
    "Verdict",
    "VerdictOutcome",
    "VersionWithRules",
    "VersionWithRulesRulesItem",
    "Versions",
    "Wait",
)
