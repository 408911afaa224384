"""Contains all the data models used in inputs/outputs"""

from .administration_list_audit_outcome_type_0 import (
    AdministrationListAuditOutcomeType0,
)
from .administrator import Administrator
from .aggregate import Aggregate
from .aggregate_fn import AggregateFn
from .answer import Answer
from .answer_column import AnswerColumn
from .assign import Assign
from .audit_line import AuditLine
from .audit_line_detail_type_0 import AuditLineDetailType0
from .audit_line_outcome import AuditLineOutcome
from .audit_page import AuditPage
from .auth_federated_token_answer import AuthFederatedTokenAnswer
from .auth_revoke_response_auth_revoke import AuthRevokeResponseAuthRevoke
from .auth_token_answer import AuthTokenAnswer
from .balance_row import BalanceRow
from .balance_row_quality import BalanceRowQuality
from .balances import Balances
from .balances_qualities import BalancesQualities
from .balances_resolution import BalancesResolution
from .billing_bills_body import BillingBillsBody
from .billing_bills_body_bill import BillingBillsBodyBill
from .billing_delivery import BillingDelivery
from .billing_delivery_kind import BillingDeliveryKind
from .billing_page import BillingPage
from .billing_receipts_body import BillingReceiptsBody
from .billing_receipts_body_receipt import BillingReceiptsBodyReceipt
from .billing_receipts_body_receipt_kind import BillingReceiptsBodyReceiptKind
from .billing_refusal import BillingRefusal
from .body_auth_revoke import BodyAuthRevoke
from .body_auth_token import BodyAuthToken
from .builder_version import BuilderVersion
from .bulk import Bulk
from .bulk_done import BulkDone
from .calculated import Calculated
from .calculated_period import CalculatedPeriod
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
from .catalogue import Catalogue
from .catalogue_groups import CatalogueGroups
from .change_request import ChangeRequest
from .change_request_channel import ChangeRequestChannel
from .chart import Chart
from .chart_kind import ChartKind
from .child_row import ChildRow
from .child_row_quality import ChildRowQuality
from .children import Children
from .children_kind import ChildrenKind
from .clone_request import CloneRequest
from .close import Close
from .code import Code
from .column_info import ColumnInfo
from .column_info_type import ColumnInfoType
from .column_out import ColumnOut
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
from .config import Config
from .config_line import ConfigLine
from .config_line_visibility import ConfigLineVisibility
from .config_page import ConfigPage
from .config_visibility import ConfigVisibility
from .consumption import Consumption
from .consumption_layer import ConsumptionLayer
from .consumption_qualities import ConsumptionQualities
from .consumption_resolution import ConsumptionResolution
from .consumption_row import ConsumptionRow
from .consumption_row_quality import ConsumptionRowQuality
from .dataset_line import DatasetLine
from .dataset_out import DatasetOut
from .day_state import DayState
from .days import Days
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
from .energy_dt_resolution import EnergyDtResolution
from .energy_feeder_resolution import EnergyFeederResolution
from .energy_office_resolution import EnergyOfficeResolution
from .enrolment import Enrolment
from .episode_page import EpisodePage
from .exception_page import ExceptionPage
from .exception_state import ExceptionState
from .exceptions_page import ExceptionsPage
from .explain_delivery import ExplainDelivery
from .explain_edit import ExplainEdit
from .explain_edit_decision_type_0 import ExplainEditDecisionType0
from .explain_edit_operations_item import ExplainEditOperationsItem
from .explain_episode import ExplainEpisode
from .explain_meter import ExplainMeter
from .explanation import Explanation
from .explanation_evidence import ExplanationEvidence
from .export_job import ExportJob
from .export_job_state import ExportJobState
from .export_job_what import ExportJobWhat
from .export_part import ExportPart
from .fault import Fault
from .filter_ import Filter
from .filter_op import FilterOp
from .freeze import Freeze
from .freeze_request import FreezeRequest
from .freezes import Freezes
from .grant_line import GrantLine
from .grant_page import GrantPage
from .grant_request import GrantRequest
from .group import Group
from .group_request import GroupRequest
from .group_request_parameters import GroupRequestParameters
from .group_states import GroupStates
from .guest_token import GuestToken
from .head import Head
from .head_kind import HeadKind
from .health import Health
from .health_version import HealthVersion
from .held import Held
from .installed import Installed
from .installed_place_type_0 import InstalledPlaceType0
from .interval import Interval
from .interval_outage import IntervalOutage
from .key_change import KeyChange
from .key_line import KeyLine
from .key_page import KeyPage
from .key_request import KeyRequest
from .key_set import KeySet
from .kind import Kind
from .ldap_login import LdapLogin
from .line import Line
from .line_after import LineAfter
from .line_before import LineBefore
from .make_request import MakeRequest
from .many_asked import ManyAsked
from .many_asked_formats_item import ManyAskedFormatsItem
from .many_asked_period_type_0 import ManyAskedPeriodType0
from .me import Me
from .me_kind import MeKind
from .meter_day import MeterDay
from .meter_day_severity import MeterDaySeverity
from .meter_line import MeterLine
from .meter_page import MeterPage
from .meters_consumption_channels_type_0_item import MetersConsumptionChannelsType0Item
from .meters_consumption_layer import MetersConsumptionLayer
from .meters_consumption_resolution import MetersConsumptionResolution
from .meters_episode import MetersEpisode
from .meters_episode_source import MetersEpisodeSource
from .meters_episode_state import MetersEpisodeState
from .meters_events_json_body import MetersEventsJsonBody
from .meters_events_json_body_events_item import MetersEventsJsonBodyEventsItem
from .meters_events_json_body_profiles_item import MetersEventsJsonBodyProfilesItem
from .meters_events_json_body_registers_item import MetersEventsJsonBodyRegistersItem
from .meters_events_json_body_values_item import MetersEventsJsonBodyValuesItem
from .meters_list_events_severity_type_0 import MetersListEventsSeverityType0
from .meters_meter import MetersMeter
from .meters_meter_payment_type_0 import MetersMeterPaymentType0
from .meters_profile_day_type import MetersProfileDayType
from .meters_readings_json_body import MetersReadingsJsonBody
from .meters_readings_json_body_events_item import MetersReadingsJsonBodyEventsItem
from .meters_readings_json_body_profiles_item import MetersReadingsJsonBodyProfilesItem
from .meters_readings_json_body_registers_item import (
    MetersReadingsJsonBodyRegistersItem,
)
from .meters_readings_json_body_values_item import MetersReadingsJsonBodyValuesItem
from .meters_refusal import MetersRefusal
from .move import Move
from .new_key import NewKey
from .new_password import NewPassword
from .new_role import NewRole
from .o_auth_error import OAuthError
from .o_auth_error_error import OAuthErrorError
from .operation_kind import OperationKind
from .operation_request import OperationRequest
from .outcome import Outcome
from .password_change import PasswordChange
from .period_said import PeriodSaid
from .period_said_of_type_0 import PeriodSaidOfType0
from .permission import Permission
from .plan import Plan
from .plan_parameters import PlanParameters
from .preview import Preview
from .problem_details import ProblemDetails
from .problem_details_errors_item import ProblemDetailsErrorsItem
from .profile import Profile
from .profile_day_type import ProfileDayType
from .profile_slot import ProfileSlot
from .proposal import Proposal
from .proposal_preview_type_0 import ProposalPreviewType0
from .proposal_request import ProposalRequest
from .proposal_request_overlay_type_1 import ProposalRequestOverlayType1
from .proposal_state import ProposalState
from .provider_info import ProviderInfo
from .provider_info_kind import ProviderInfoKind
from .providers import Providers
from .public_key import PublicKey
from .query import Query
from .ratio_out import RatioOut
from .raw_value import RawValue
from .raw_value_verdict import RawValueVerdict
from .readiness import Readiness
from .receipt import Receipt
from .receipt_rejected_by_reason import ReceiptRejectedByReason
from .redeem import Redeem
from .register import Register
from .rejected import Rejected
from .release_request import ReleaseRequest
from .reopen import Reopen
from .report_builder_export_format import ReportBuilderExportFormat
from .report_info import ReportInfo
from .report_info_group import ReportInfoGroup
from .report_info_periods_item import ReportInfoPeriodsItem
from .report_rows import ReportRows
from .report_rows_rows_item import ReportRowsRowsItem
from .reports_export_report_format import ReportsExportReportFormat
from .reports_export_report_period_type_0 import ReportsExportReportPeriodType0
from .reports_get_consumption_period_type_0 import ReportsGetConsumptionPeriodType0
from .reports_get_losses_level import ReportsGetLossesLevel
from .reports_get_losses_method_type_0 import ReportsGetLossesMethodType0
from .reports_get_losses_period_type_0 import ReportsGetLossesPeriodType0
from .reports_get_report_period_type_0 import ReportsGetReportPeriodType0
from .reports_get_schema_response_200 import ReportsGetSchemaResponse200
from .reports_list_reports_group_type_0 import ReportsListReportsGroupType0
from .reset_request import ResetRequest
from .resolution import Resolution
from .role_line import RoleLine
from .role_request import RoleRequest
from .roles import Roles
from .rotation import Rotation
from .rule import Rule
from .rule_definition import RuleDefinition
from .rule_set import RuleSet
from .rule_source import RuleSource
from .rules_list_proposals_state_type_0 import RulesListProposalsStateType0
from .rules_page import RulesPage
from .rules_version import RulesVersion
from .run import Run
from .run_basis_type_0 import RunBasisType0
from .saml_form import SamlForm
from .saved import Saved
from .saved_visibility import SavedVisibility
from .session_line import SessionLine
from .sessions import Sessions
from .sort import Sort
from .span import Span
from .state import State
from .sum_check import SumCheck
from .summary_line import SummaryLine
from .summary_line_severity import SummaryLineSeverity
from .take import Take
from .tenant import Tenant
from .tenant_request import TenantRequest
from .tenants import Tenants
from .user import User
from .user_page import UserPage
from .user_request import UserRequest
from .user_source import UserSource
from .verdict import Verdict
from .verdict_outcome import VerdictOutcome
from .version_line import VersionLine
from .version_with_rules import VersionWithRules
from .version_with_rules_rules_item import VersionWithRulesRulesItem
from .versions import Versions
from .wait import Wait
from .wanted import Wanted
from .where import Where

__all__ = (
    "AdministrationListAuditOutcomeType0",
    "Administrator",
    "Aggregate",
    "AggregateFn",
    "Answer",
    "AnswerColumn",
    "Assign",
    "AuditLine",
    "AuditLineDetailType0",
    "AuditLineOutcome",
    "AuditPage",
    "AuthFederatedTokenAnswer",
    "AuthRevokeResponseAuthRevoke",
    "AuthTokenAnswer",
    "BalanceRow",
    "BalanceRowQuality",
    "Balances",
    "BalancesQualities",
    "BalancesResolution",
    "BillingBillsBody",
    "BillingBillsBodyBill",
    "BillingDelivery",
    "BillingDeliveryKind",
    "BillingPage",
    "BillingReceiptsBody",
    "BillingReceiptsBodyReceipt",
    "BillingReceiptsBodyReceiptKind",
    "BillingRefusal",
    "BodyAuthRevoke",
    "BodyAuthToken",
    "BuilderVersion",
    "Bulk",
    "BulkDone",
    "Calculated",
    "CalculatedPeriod",
    "Case",
    "CaseFilter",
    "CaseFilterSeverityType0",
    "CaseFilterStateType0",
    "CaseInFull",
    "CaseInFullScope",
    "CaseInFullSeverity",
    "CaseScope",
    "CaseSeverity",
    "CasesListCasesSeverityType0",
    "CaseState",
    "Catalogue",
    "CatalogueGroups",
    "ChangeRequest",
    "ChangeRequestChannel",
    "Chart",
    "ChartKind",
    "Children",
    "ChildrenKind",
    "ChildRow",
    "ChildRowQuality",
    "CloneRequest",
    "Close",
    "Code",
    "ColumnInfo",
    "ColumnInfoType",
    "ColumnOut",
    "Command",
    "CommandParameters",
    "CommandRequest",
    "CommandRequestParameters",
    "CommandResultType0",
    "CommandsPage",
    "CommandsRefusal",
    "CommandWithAudit",
    "CommandWithAuditParameters",
    "CommandWithAuditResultType0",
    "Comment",
    "Config",
    "ConfigLine",
    "ConfigLineVisibility",
    "ConfigPage",
    "ConfigVisibility",
    "Consumption",
    "ConsumptionLayer",
    "ConsumptionQualities",
    "ConsumptionResolution",
    "ConsumptionRow",
    "ConsumptionRowQuality",
    "DatasetLine",
    "DatasetOut",
    "Days",
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
    "EnergyDtResolution",
    "EnergyFeederResolution",
    "EnergyOfficeResolution",
    "Enrolment",
    "EpisodePage",
    "ExceptionPage",
    "ExceptionsPage",
    "ExceptionState",
    "ExplainDelivery",
    "ExplainEdit",
    "ExplainEditDecisionType0",
    "ExplainEditOperationsItem",
    "ExplainEpisode",
    "ExplainMeter",
    "Explanation",
    "ExplanationEvidence",
    "ExportJob",
    "ExportJobState",
    "ExportJobWhat",
    "ExportPart",
    "Fault",
    "Filter",
    "FilterOp",
    "Freeze",
    "FreezeRequest",
    "Freezes",
    "GrantLine",
    "GrantPage",
    "GrantRequest",
    "Group",
    "GroupRequest",
    "GroupRequestParameters",
    "GroupStates",
    "GuestToken",
    "Head",
    "HeadKind",
    "Health",
    "HealthVersion",
    "Held",
    "Installed",
    "InstalledPlaceType0",
    "Interval",
    "IntervalOutage",
    "KeyChange",
    "KeyLine",
    "KeyPage",
    "KeyRequest",
    "KeySet",
    "Kind",
    "LdapLogin",
    "Line",
    "LineAfter",
    "LineBefore",
    "MakeRequest",
    "ManyAsked",
    "ManyAskedFormatsItem",
    "ManyAskedPeriodType0",
    "Me",
    "MeKind",
    "MeterDay",
    "MeterDaySeverity",
    "MeterLine",
    "MeterPage",
    "MetersConsumptionChannelsType0Item",
    "MetersConsumptionLayer",
    "MetersConsumptionResolution",
    "MetersEpisode",
    "MetersEpisodeSource",
    "MetersEpisodeState",
    "MetersEventsJsonBody",
    "MetersEventsJsonBodyEventsItem",
    "MetersEventsJsonBodyProfilesItem",
    "MetersEventsJsonBodyRegistersItem",
    "MetersEventsJsonBodyValuesItem",
    "MetersListEventsSeverityType0",
    "MetersMeter",
    "MetersMeterPaymentType0",
    "MetersProfileDayType",
    "MetersReadingsJsonBody",
    "MetersReadingsJsonBodyEventsItem",
    "MetersReadingsJsonBodyProfilesItem",
    "MetersReadingsJsonBodyRegistersItem",
    "MetersReadingsJsonBodyValuesItem",
    "MetersRefusal",
    "Move",
    "NewKey",
    "NewPassword",
    "NewRole",
    "OAuthError",
    "OAuthErrorError",
    "OperationKind",
    "OperationRequest",
    "Outcome",
    "PasswordChange",
    "PeriodSaid",
    "PeriodSaidOfType0",
    "Permission",
    "Plan",
    "PlanParameters",
    "Preview",
    "ProblemDetails",
    "ProblemDetailsErrorsItem",
    "Profile",
    "ProfileDayType",
    "ProfileSlot",
    "Proposal",
    "ProposalPreviewType0",
    "ProposalRequest",
    "ProposalRequestOverlayType1",
    "ProposalState",
    "ProviderInfo",
    "ProviderInfoKind",
    "Providers",
    "PublicKey",
    "Query",
    "RatioOut",
    "RawValue",
    "RawValueVerdict",
    "Readiness",
    "Receipt",
    "ReceiptRejectedByReason",
    "Redeem",
    "Register",
    "Rejected",
    "ReleaseRequest",
    "Reopen",
    "ReportBuilderExportFormat",
    "ReportInfo",
    "ReportInfoGroup",
    "ReportInfoPeriodsItem",
    "ReportRows",
    "ReportRowsRowsItem",
    "ReportsExportReportFormat",
    "ReportsExportReportPeriodType0",
    "ReportsGetConsumptionPeriodType0",
    "ReportsGetLossesLevel",
    "ReportsGetLossesMethodType0",
    "ReportsGetLossesPeriodType0",
    "ReportsGetReportPeriodType0",
    "ReportsGetSchemaResponse200",
    "ReportsListReportsGroupType0",
    "ResetRequest",
    "Resolution",
    "RoleLine",
    "RoleRequest",
    "Roles",
    "Rotation",
    "Rule",
    "RuleDefinition",
    "RuleSet",
    "RulesListProposalsStateType0",
    "RuleSource",
    "RulesPage",
    "RulesVersion",
    "Run",
    "RunBasisType0",
    "SamlForm",
    "Saved",
    "SavedVisibility",
    "SessionLine",
    "Sessions",
    "Sort",
    "Span",
    "State",
    "SumCheck",
    "SummaryLine",
    "SummaryLineSeverity",
    "Take",
    "Tenant",
    "TenantRequest",
    "Tenants",
    "User",
    "UserPage",
    "UserRequest",
    "UserSource",
    "Verdict",
    "VerdictOutcome",
    "VersionLine",
    "Versions",
    "VersionWithRules",
    "VersionWithRulesRulesItem",
    "Wait",
    "Wanted",
    "Where",
)
