"""The records that the stages pass to each other: frozen, keyword-only, JSON-safe.

Knows the vocabulary of the run record and nothing else: no sockets, no boards, no pytest. Times are in the unit the name
carries, hex strings have no `0x`, suite names are IANA's, versions are `TLSv1.2` / `TLSv1.3`. Import every name from here:
in which of the files below a record is defined may change.
"""

from harness.model.behaviours import BEHAVIOURS as BEHAVIOURS
from harness.model.behaviours import Behaviour as Behaviour
from harness.model.boards import HOSTED_PLATFORMS as HOSTED_PLATFORMS
from harness.model.boards import BoardInfo as BoardInfo
from harness.model.boards import BoardSettings as BoardSettings
from harness.model.boards import BoardSpec as BoardSpec
from harness.model.cases import Case as Case
from harness.model.cases import ClientPlan as ClientPlan
from harness.model.cases import Expectation as Expectation
from harness.model.cases import ExpectationRule as ExpectationRule
from harness.model.cases import ExpectedAlert as ExpectedAlert
from harness.model.cases import FoundSettings as FoundSettings
from harness.model.cases import KeyFacts as KeyFacts
from harness.model.cases import Need as Need
from harness.model.cases import ServerFacts as ServerFacts
from harness.model.cases import ServerProfile as ServerProfile
from harness.model.json_values import as_json as as_json
from harness.model.observations import ClientFailure as ClientFailure
from harness.model.observations import ClientReport as ClientReport
from harness.model.observations import Exchange as Exchange
from harness.model.observations import Observation as Observation
from harness.model.observations import ServerFailure as ServerFailure
from harness.model.observations import ServerReport as ServerReport
from harness.model.recipes import BoardFile as BoardFile
from harness.model.recipes import Command as Command
from harness.model.recipes import Ingredient as Ingredient
from harness.model.recipes import Program as Program
from harness.model.recipes import Recipe as Recipe
from harness.model.results import DEFAULT_CLIENT as DEFAULT_CLIENT
from harness.model.results import IN_PROCESS as IN_PROCESS
from harness.model.results import CaseResult as CaseResult
from harness.model.results import Cell as Cell
from harness.model.results import Change as Change
from harness.model.results import Diagnosis as Diagnosis
from harness.model.results import Explanation as Explanation
from harness.model.results import Fix as Fix
from harness.model.results import Mismatch as Mismatch
from harness.model.results import RecoveryStep as RecoveryStep
from harness.model.results import Trial as Trial
from harness.model.results import UnexpectedPeers as UnexpectedPeers
from harness.model.results import Verdict as Verdict
from harness.model.results import recommended as recommended
from harness.model.simulation import CertificateProblem as CertificateProblem
from harness.model.simulation import Simulated as Simulated
from harness.model.simulation import SimulatedChange as SimulatedChange
from harness.model.simulation import SimulatedFirmware as SimulatedFirmware
from harness.model.simulation import Simulation as Simulation
from harness.model.wire import Alert as Alert
from harness.model.wire import HelloFacts as HelloFacts
from harness.model.wire import Negotiated as Negotiated
from harness.model.wire import Packet as Packet
from harness.model.wire import TcpEnd as TcpEnd
from harness.model.wire import WireChunk as WireChunk
from harness.model.wire import WireStep as WireStep
from harness.model.words import FORMER_TOPICS as FORMER_TOPICS
from harness.model.words import Network as Network
from harness.model.words import Outcome as Outcome
from harness.model.words import RecoveryAction as RecoveryAction
from harness.model.words import Side as Side
from harness.model.words import Source as Source
from harness.model.words import Stage as Stage
from harness.model.words import StepResult as StepResult
from harness.model.words import Subject as Subject
from harness.model.words import TcpEndKind as TcpEndKind
from harness.model.words import Tier as Tier
from harness.model.words import TlsLibrary as TlsLibrary
from harness.model.words import TlsModule as TlsModule
from harness.model.words import TlsVersion as TlsVersion
from harness.model.words import VerdictWord as VerdictWord
from harness.model.words import Verify as Verify
from harness.model.words import current_name as current_name
