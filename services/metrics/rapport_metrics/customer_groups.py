"""Customers by stage and by RFM, as the database counts them (kpis.md, section 4).

`$1`: the instant, `$2`: a day, both in microseconds; `$3`: the currency that amounts are added in.
`bought`: see `purchases`. The rules are those of `domain.stages`.
"""

from typing import Final

STAGES: Final = """
SELECT stage, count(*) FROM (
    SELECT CASE
        WHEN orders = 0 THEN 'prospect'
        WHEN $1::bigint - last >= 180 * $2::bigint THEN 'churned'
        WHEN $1::bigint - last >= 90 * $2::bigint THEN 'lapsed'
        WHEN $1::bigint - last >= 60 * $2::bigint THEN 'at_risk'
        WHEN orders > 1 AND last - before >= 90 * $2::bigint AND $1::bigint - last < 30 * $2::bigint
            THEN 'won_back'
        WHEN lately >= 4 THEN 'loyal'
        WHEN orders = 1 AND $1::bigint - last < 30 * $2::bigint THEN 'new'
        ELSE 'active' END AS stage
    FROM (
        SELECT person, count(at) AS orders, max(at) AS last,
            (array_agg(at ORDER BY at DESC NULLS LAST))[2] AS before,
            count(at) FILTER (WHERE at >= $1::bigint - 180 * $2::bigint) AS lately
        FROM (
            SELECT root AS person, NULL::bigint AS at FROM person
            WHERE erased IS NULL AND created < $1
            UNION ALL SELECT person, at FROM bought WHERE at < $1
        ) AS known GROUP BY person
    ) AS summed
) AS staged GROUP BY stage
"""

RFM: Final = """
SELECT concat(1 + 5 * (r - 1) / n, 1 + 5 * (f - 1) / n, 1 + 5 * (m - 1) / n), count(*) FROM (
    SELECT rank() OVER (ORDER BY recency DESC) AS r, rank() OVER (ORDER BY frequency) AS f,
        rank() OVER (ORDER BY monetary) AS m, count(*) OVER () AS n
    FROM (
        SELECT ($1::bigint - max(at)) / $2::bigint AS recency,
            count(*) FILTER (WHERE at >= $1::bigint - 365 * $2::bigint) AS frequency,
            coalesce(sum(net) FILTER (
                WHERE at >= $1::bigint - 365 * $2::bigint AND currency IS NOT DISTINCT FROM $3
            ), 0) AS monetary
        FROM bought WHERE at < $1 GROUP BY person
    ) AS buyer
) AS ranked GROUP BY 1
"""
