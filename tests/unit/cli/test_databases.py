"""Addresses of databases, and what is shown of them."""

from rapport_cli.stack.databases import database_url, redacted


def test_a_password_is_not_shown() -> None:
    shown = redacted("postgresql://rapport:s3cret@127.0.0.1:5432/postgres")

    assert shown == "postgresql://rapport:***@127.0.0.1:5432/postgres"


def test_an_address_without_a_password_is_shown_as_it_is() -> None:
    url = "postgresql://rapport@127.0.0.1:5432/postgres"

    assert redacted(url) == url


def test_services_get_the_address_of_their_own_database_on_the_same_server() -> None:
    admin = "postgresql://rapport:s3cret@db:5432/postgres?ssl=require"

    url = database_url(admin, "rapport_profile")

    assert url == "postgresql+asyncpg://rapport:s3cret@db:5432/rapport_profile?ssl=require"
