"""Stripe's test bank accounts, by number and by name, and how a debit of each ends."""

from dataclasses import dataclass

# The payment method types, and the only currency of each.
CURRENCIES = {"sepa_debit": "eur", "us_bank_account": "usd"}
ROUTING_NUMBER = "110000000"
# An account called "delayed" answers after three minutes.
DELAY = 180.0


@dataclass(frozen=True, slots=True)
class Debit:
    """A bank account that can be debited: `kind` is its payment method's type, `number` its IBAN or account number.
    `failure`: why its bank returns the debit in the end; `disputed`: it pays, and takes the money back at once;
    `delay`: seconds until it answers, None for the time in which charges settle."""

    number: str
    kind: str = "sepa_debit"
    failure: str | None = None
    disputed: bool = False
    delay: float | None = None

    @property
    def iban(self) -> str:
        return self.number

    @property
    def fails(self) -> bool:
        return self.failure is not None


# By what Stripe's names call it: what an account does, and the test IBANs that do it, by country.
FATES: dict[str, Debit] = {
    "success": Debit(""),
    "successDelayed": Debit("", delay=DELAY),
    "failed": Debit("", failure="insufficient_funds"),
    "failedDelayed": Debit("", failure="insufficient_funds", delay=DELAY),
    "disputed": Debit("", disputed=True),
    "exceedsWeeklyVolumeLimit": Debit("", failure="charge_exceeds_source_limit"),
    "exceedsWeeklyTransactionLimit": Debit("", failure="charge_exceeds_weekly_limit"),
    "insufficientFunds": Debit("", failure="insufficient_funds"),
}
IBANS: dict[str, tuple[str, ...]] = {
    "at": (
        "AT611904300234573201",
        "AT321904300235473204",
        "AT861904300235473202",
        "AT051904300235473205",
        "AT591904300235473203",
        "AT981904300000343434",
        "AT601904300000121212",
        "AT981904300002222227",
    ),
    "be": (
        "BE62510007547061",
        "BE78510007547064",
        "BE68539007547034",
        "BE51510007547065",
        "BE08510007547063",
        "BE90510000343434",
        "BE52510000121212",
        "BE90510002222227",
    ),
    "de": (
        "DE89370400440532013000",
        "DE08370400440532013003",
        "DE62370400440532013001",
        "DE78370400440532013004",
        "DE35370400440532013002",
        "DE65370400440000343434",
        "DE27370400440000121212",
        "DE65370400440002222227",
    ),
    "fi": (
        "FI2112345600000785",
        "FI3712345600000788",
        "FI9112345600000786",
        "FI1012345600000789",
        "FI6412345600000787",
        "FI6712345600343434",
        "FI2912345600121212",
        "FI6712345602222227",
    ),
    "fr": (
        "FR1420041010050500013M02606",
        "FR3020041010050500013M02609",
        "FR8420041010050500013M02607",
        "FR7920041010050500013M02600",
        "FR5720041010050500013M02608",
        "FR9720041010050000000343434",
        "FR5920041010050000000121212",
        "FR9720041010050000002222227",
    ),
}
# Stripe's command-line tool lets this one fail.
MORE = (Debit("IT60X0542811101000000123456", failure="insufficient_funds"),)

US_ACCOUNTS: dict[str, Debit] = {
    "success": Debit("000123456789", "us_bank_account"),
    "accountClosed": Debit("000111111113", "us_bank_account", failure="account_closed"),
    "noAccount": Debit("000111111116", "us_bank_account", failure="no_account"),
    "insufficientFunds": Debit("000222222227", "us_bank_account", failure="insufficient_funds"),
    "debitNotAuthorized": Debit("000333333335", "us_bank_account", failure="debit_not_authorized"),
    "dispute": Debit("000555555559", "us_bank_account", disputed=True),
}


def _sepa(number: str, fate: Debit) -> Debit:
    return Debit(number, failure=fate.failure, disputed=fate.disputed, delay=fate.delay)


NAMED: dict[str, str] = {
    f"pm_{fate}_{country}": number
    for country, numbers in IBANS.items()
    for fate, number in zip(FATES, numbers, strict=True)
} | {f"pm_usBankAccount_{name}": debit.number for name, debit in US_ACCOUNTS.items()}

ACCOUNTS: dict[str, Debit] = {
    debit.number: debit
    for debit in (
        *(
            _sepa(number, fate)
            for numbers in IBANS.values()
            for number, fate in zip(numbers, FATES.values(), strict=True)
        ),
        *MORE,
        *US_ACCOUNTS.values(),
    )
}
