"""A made-up account to try things on: two opportunity types, Indian names, plausible values.

Same count and seed, same account, to the byte. The types are the ones the tutorials speak of.
"""

import random
import uuid
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final

from lsq_sync.simulator.account import (
    NOTE,
    OWNER,
    STATUS,
    STATUS_COMMENT,
    Account,
    Field,
    Opportunity,
    OpportunityType,
    User,
    sub_field_name,
)

LOAN: Final = 12005
INSURANCE: Final = 12006
STRING_LENGTH: Final = 200  # of the plain String in the vendor's samples
PHONE_LENGTH: Final = 50  # made up

_EPOCH: Final = datetime(2026, 1, 5, 9, 0, 0)  # noqa: DTZ001 - the CRM's own form: UTC, no zone

SOURCES: Final = ("Website", "Referral", "Branch", "Partner", "Campaign")
DOCUMENTS: Final = ("PAN", "Aadhaar", "Bank Statement", "Salary Slip", "Form 16")
LOAN_STAGES: Final = (
    ("Open", ("New", "Contacted", "Documents Pending", "Sanctioned")),
    ("Won", ("Disbursed",)),
    ("Lost", ("Not Eligible", "Not Interested", "Invalid/ Junk")),  # the odd space is real
)
INSURANCE_STAGES: Final = (
    ("Open", ("New", "Quote Sent", "Proposal Signed")),
    ("Won", ("Policy Issued",)),
    ("Lost", ("Declined", "Bought Elsewhere")),
)
LOAN_PRODUCTS: Final = ("Home Loan", "Loan Against Property", "Personal Loan", "Gold Loan")
ORIGINS: Final = ("Walk-in", "Mobile App", "Call Centre", "DSA")
LOSS_REASONS: Final = ("Low CIBIL score", "Better rate elsewhere", "Documents not available")
FIRST_NAMES: Final = (
    "Aarav", "Aditi", "Ananya", "Arjun", "Deepika", "Farhan", "Gurpreet", "Ishaan", "Kavya",
    "Lakshmi", "Meera", "Nikhil", "Priya", "Rahul", "Rohan", "Saanvi", "Sunita", "Vikram", "Zoya",
)  # fmt: skip
LAST_NAMES: Final = (
    "Agarwal", "Banerjee", "Chatterjee", "Das", "Fernandes", "Gupta", "Iyer", "Joshi", "Khan",
    "Kulkarni", "Menon", "Nair", "Patel", "Rao", "Reddy", "Sharma", "Singh", "Subramaniam",
)  # fmt: skip
COMPANIES: Final = (
    "Bharat Textiles", "Chennai Auto Parts", "Deccan Foods", "Ganga Traders", "Indus Software",
    "Konkan Logistics", "Malabar Spices", "Narmada Steel", "Sahyadri Pharma", "Vindhya Cement",
)  # fmt: skip
CITIES: Final = ("Bengaluru", "Chennai", "Hyderabad", "Jaipur", "Kochi", "Mumbai", "Pune")


def sample_account(count: int = 200, seed: int = 7) -> Account:
    """An account of `count` opportunities: three loans to one insurance."""
    made = _Maker(seed)
    users = tuple(made.user(name) for name in ("Asha Kumar", "Ravi Shetty", "Neha Bose"))
    opportunities = tuple(
        made.insurance(number, users) if number % 4 == 3 else made.loan(number, users)
        for number in range(count)
    )
    return Account(types=(LOAN_TYPE, INSURANCE_TYPE), opportunities=opportunities, users=users)


def _string(schema_name: str, display_name: str, length: int = STRING_LENGTH) -> Field:
    return Field(schema_name, display_name, "String", max_length=length)


def _plain(schema_name: str, display_name: str, data_type: str) -> Field:
    return Field(schema_name, display_name, data_type)


def _phone(schema_name: str, display_name: str) -> Field:
    return Field(schema_name, display_name, "Phone", max_length=PHONE_LENGTH)


def _dropdown(schema_name: str, display_name: str, options: tuple[str, ...]) -> Field:
    return Field(schema_name, display_name, "Dropdown", options=options)


def _name() -> Field:
    return Field(
        "mx_Custom_1", "Opportunity Name", "String", is_mandatory=True, max_length=STRING_LENGTH
    )


def _status() -> Field:
    return Field(
        STATUS, "Status", "SearchableDropdown", is_mandatory=True, options=("Open", "Won", "Lost")
    )


def _stage(options: tuple[tuple[str, tuple[str, ...]], ...]) -> Field:
    """Options stand per status only. [seen in code]"""
    return Field(
        "mx_Custom_2",
        "Stage",
        "SearchableDropdown",
        is_mandatory=True,
        parent_field=STATUS,
        dependent_options=options,
    )


def _read_only() -> tuple[Field, ...]:
    """Shown in metadata as fields that cannot be written. [seen in code]"""
    return (
        Field("CreatedOn", "Created On", "DateTime", is_read_only=True),
        Field("ModifiedOn", "Modified On", "DateTime", is_read_only=True),
        Field("CreatedBy", "Created By", "ActiveUsers", is_read_only=True),
        Field("ModifiedBy", "Modified By", "ActiveUsers", is_read_only=True),
    )


LOAN_TYPE: Final = OpportunityType(
    code=LOAN,
    display_name="Loan",
    auto_id_field="mx_Custom_20",
    fields=(
        _string(NOTE, "Notes"),
        _name(),
        _status(),
        _stage(LOAN_STAGES),
        _plain(OWNER, "Owner", "ActiveUsers"),
        _dropdown("mx_Custom_3", "Source", SOURCES),
        _string("mx_Custom_4", "Loss Reason"),
        Field("mx_Custom_5", "Description", "Text", max_length=1000),
        _plain("mx_Custom_6", "Expected Deal Size", "Number"),
        _plain("mx_Custom_7", "Actual Deal Size", "Number"),
        _plain("mx_Custom_8", "Expected Closure Date", "DateTime"),
        _plain("mx_Custom_9", "Actual Closure Date", "DateTime"),
        _string("mx_Custom_10", "Product"),
        _string("mx_Custom_11", "Origin"),
        _phone("mx_Custom_12", "Mobile"),
        _plain("mx_Custom_13", "First EMI Date", "Date"),
        _plain("mx_Custom_14", "Documents Complete", "Boolean"),
        Field(
            "mx_Custom_15",
            "Documents Received",
            "Dropdown",
            is_multi_select=True,
            options=DOCUMENTS,
        ),
        _string(STATUS_COMMENT, "Status Comment"),
        Field(
            "mx_Custom_20",
            "Loan Number",
            "String",
            is_read_only=True,
            max_length=STRING_LENGTH,
        ),
        _plain("mx_Custom_21", "Agreement", "File"),
        Field(
            "mx_Custom_36",
            "Co-applicant",
            "CustomObject",
            sub_fields=(
                _string("mx_CustomObject_1", "Name"),
                _phone("mx_CustomObject_2", "Mobile"),
                _plain("mx_CustomObject_3", "Monthly Income", "Number"),
            ),
        ),
        *_read_only(),
    ),
)

INSURANCE_TYPE: Final = OpportunityType(
    code=INSURANCE,
    display_name="Insurance",
    fields=(
        _string(NOTE, "Notes"),
        _name(),
        _status(),
        _stage(INSURANCE_STAGES),
        _plain(OWNER, "Owner", "ActiveUsers"),
        _dropdown("mx_Custom_3", "Source", SOURCES),
        _plain("mx_Custom_6", "Annual Premium", "Number"),
        _plain("mx_Custom_8", "Policy Start", "Date"),
        _plain("mx_Custom_9", "Renewal Due", "DateTime"),
        _string(STATUS_COMMENT, "Status Comment"),
        _string("mx_Custom_22", "Nominee"),
        *_read_only(),
    ),
)


class _Maker:
    """Draws one value after the other from one seed; GUIDs come from the seed and a name."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._random = random.Random(seed)

    def user(self, name: str) -> User:
        mail = f"{name.lower().replace(' ', '.')}@lender.example"
        return User(self._guid(f"user/{name}"), name, mail)

    def loan(self, number: int, users: tuple[User, ...]) -> Opportunity:
        applicant = self._person()
        product = self._random.choice(LOAN_PRODUCTS)
        amount = self._random.randrange(1, 120) * 50_000
        fields = {
            **self._common(f"{applicant}, {product}", LOAN_STAGES, users),
            "mx_Custom_5": f"{product} for {applicant}, {self._random.choice(COMPANIES)}",
            "mx_Custom_6": str(amount),
            "mx_Custom_8": self._moment(),
            "mx_Custom_10": product,
            "mx_Custom_11": self._random.choice(ORIGINS),
            "mx_Custom_12": self._mobile(),
            "mx_Custom_14": self._random.choice("01"),
            "mx_Custom_15": ";".join(self._some(DOCUMENTS)),
            "mx_Custom_20": f"LN-{number + 1:06}",
        }
        fields |= self._outcome(fields[STATUS], amount)
        if self._random.random() < 0.5:
            fields |= self._co_applicant()
        return self._opportunity(number, LOAN, applicant, fields)

    def insurance(self, number: int, users: tuple[User, ...]) -> Opportunity:
        insured = self._person()
        fields = {
            **self._common(f"{insured}, Term Cover", INSURANCE_STAGES, users),
            "mx_Custom_6": str(self._random.randrange(10, 200) * 500),
            "mx_Custom_8": f"{self._day()} 00:00:00",
            "mx_Custom_9": self._moment(),
            "mx_Custom_22": self._person(),
        }
        return self._opportunity(number, INSURANCE, insured, fields)

    def _common(
        self, name: str, stages: tuple[tuple[str, tuple[str, ...]], ...], users: tuple[User, ...]
    ) -> dict[str, str]:
        status, fitting = self._random.choices(stages, weights=(6, 2, 2))[0]
        return {
            "mx_Custom_1": name,
            STATUS: status,
            "mx_Custom_2": self._random.choice(fitting),
            OWNER: self._random.choice(users).id,
            "mx_Custom_3": self._random.choice(SOURCES),
            "CreatedBy": users[0].id,
            "ModifiedBy": users[0].id,
        }

    def _outcome(self, status: str, amount: int) -> dict[str, str]:
        if status == "Won":
            return {
                "mx_Custom_7": str(amount - self._random.randrange(5) * 10_000),
                "mx_Custom_9": self._moment(),
                "mx_Custom_13": f"{self._day()} 00:00:00",
            }
        if status == "Lost":
            return {"mx_Custom_4": self._random.choice(LOSS_REASONS)}
        return {}

    def _co_applicant(self) -> dict[str, str]:
        values = (self._person(), self._mobile(), str(self._random.randrange(20, 300) * 1000))
        return {
            sub_field_name("mx_Custom_36", f"mx_CustomObject_{number}"): value
            for number, value in enumerate(values, start=1)
        }

    def _opportunity(
        self, number: int, code: int, person: str, fields: Mapping[str, str]
    ) -> Opportunity:
        mail = f"{person.lower().replace(' ', '.')}.{number + 1}@mail.example"
        note = f"Met in {self._random.choice(CITIES)}." if self._random.random() < 0.3 else ""
        return Opportunity(
            id=self._guid(f"opportunity/{number}"),
            code=code,
            lead_id=self._guid(f"lead/{number // 2}"),  # two opportunities a lead
            lead_email=mail,
            fields=fields,
            note=note,
        )

    def _person(self) -> str:
        return f"{self._random.choice(FIRST_NAMES)} {self._random.choice(LAST_NAMES)}"

    def _mobile(self) -> str:
        return f"+91-{self._random.randrange(7_000_000_000, 10_000_000_000)}"

    def _some(self, options: tuple[str, ...]) -> list[str]:
        return [option for option in options if self._random.random() < 0.5]

    def _day(self) -> date:
        return (_EPOCH + timedelta(days=self._random.randrange(360))).date()

    def _moment(self) -> str:
        at = _EPOCH + timedelta(minutes=self._random.randrange(360 * 24 * 60))
        return at.strftime("%Y-%m-%d %H:%M:%S")

    def _guid(self, name: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"lsq-sync-sample/{self._seed}/{name}"))
