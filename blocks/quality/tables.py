"""The tables that the rules are about: both sides of every SKU, order and pool in one row each.

E, the expected stock, is ``least(allocation, greatest(0, quantity - buffer))``. The shop's level is
walked back through its movements to the range it had within the settle window; what a channel has
sold lowers that range, what was cancelled there lately raises it. So a SKU that sells all the time
is judged, too, and an honest lag up to the window never is a violation.
"""

SAME_MOMENT = "interval '5 seconds'"
"""A marketplace may stamp a sale and the stock that it takes some seconds apart."""

MOST_UNSEEN = "interval '3 minutes'"
"""Sales younger than this may be missing from a list of orders (Amazon: two minutes)."""

REPEATED = """
CREATE UNLOGGED TABLE repeated AS
SELECT 'stock' AS what, channel, sku AS key, max(updated_at) AS newest
FROM their_stock GROUP BY channel, sku HAVING count(*) > 1
UNION ALL
SELECT 'orders', channel, order_id, max(updated_at)
FROM their_orders GROUP BY channel, order_id HAVING count(*) > 1
"""

TWICE_THE_SAME = """
SELECT what, channel, min(key) AS key, count(*) AS count FROM (
    SELECT r.what, r.channel, r.key FROM repeated r
    JOIN their_stock t ON r.what = 'stock' AND t.channel = r.channel AND t.sku = r.key
    GROUP BY r.what, r.channel, r.key, t.updated_at HAVING count(*) > 1
    UNION ALL
    SELECT r.what, r.channel, r.key FROM repeated r
    JOIN their_orders t ON r.what = 'orders' AND t.channel = r.channel AND t.order_id = r.key
    GROUP BY r.what, r.channel, r.key, t.updated_at HAVING count(*) > 1
) twice GROUP BY what, channel
"""
"""A row that changed while its pages were read comes again, newer; other repetitions are wrong."""

OUTDATED = tuple(
    f"""DELETE FROM {table} t USING repeated r WHERE r.what = '{what}' AND r.channel = t.channel
    AND r.key = t.{key} AND t.updated_at < r.newest"""
    for table, what, key in (
        ("their_stock", "stock", "sku"),
        ("their_orders", "orders", "order_id"),
        ("their_lines", "orders", "order_id"),
    )
)

ORDER_FACTS = """
WITH twice AS (
    SELECT channel, idempotency_key FROM our_orders WHERE idempotency_key IS NOT NULL
    GROUP BY channel, idempotency_key HAVING count(*) > 1
), ours AS (
    SELECT channel, order_id, count(*) AS copies, min(currency) AS currency, min(total) AS total,
           min(placed_at) AS placed_at, min(imported_at) AS imported_at, min(status) AS status,
           bool_or(coalesce(cancelled, status ILIKE 'cancel%%')) AS cancelled,
           min(shipped_at) AS shipped_at, bool_or(twice.idempotency_key IS NOT NULL) AS repeated_key
    FROM our_orders LEFT JOIN twice USING (channel, idempotency_key)
    WHERE channel = ANY(%(known)s) AND order_id IS NOT NULL GROUP BY channel, order_id
), theirs AS (
    SELECT * FROM their_orders WHERE channel = ANY(%(known)s)
), our_baskets AS (
    SELECT channel, order_id, sum(hashtextextended(sku, quantity)) AS basket
    FROM our_lines WHERE quantity <> 0 GROUP BY channel, order_id
), their_baskets AS (
    SELECT channel, order_id, sum(hashtextextended(sku, quantity)) AS their_basket
    FROM their_lines WHERE quantity <> 0 GROUP BY channel, order_id
), events AS (
    SELECT DISTINCT channel, order_id FROM our_events
)
SELECT channel, order_id AS key, o.copies, o.currency, o.total, o.placed_at, o.imported_at,
       o.status, o.cancelled, o.shipped_at, o.repeated_key, o.copies IS NOT NULL AS here,
       t.currency AS their_currency, t.total AS their_total, t.created_at, t.updated_at, t.progress,
       t.updated_at IS NOT NULL AS there, coalesce(basket, 0) AS basket, their_basket,
       e.order_id IS NOT NULL AS received,
       t.updated_at >= %(settled)s AND t.updated_at > coalesce(o.imported_at, '-infinity')
       AS changed_lately,
       extract(epoch FROM o.placed_at - t.created_at) AS late_seconds, false AS top
FROM ours o FULL JOIN theirs t USING (channel, order_id)
LEFT JOIN our_baskets USING (channel, order_id) LEFT JOIN their_baskets USING (channel, order_id)
LEFT JOIN events e USING (channel, order_id)
"""
"""``basket`` is the sum of a hash per line: equal for equal multisets of (SKU, quantity)."""

BY_SKU = {
    "sales": """
    SELECT l.channel, l.sku,
           sum(l.quantity) FILTER (WHERE NOT o.here AND o.progress <> 'cancelled'
               AND (o.created_at >= %(since)s OR o.progress = 'pending')) AS under_way,
           sum(l.quantity) FILTER (WHERE o.here AND o.progress <> 'cancelled'
               AND o.created_at >= %(settled)s) AS sold_lately,
           sum(l.quantity) FILTER (WHERE o.progress = 'cancelled'
               AND o.updated_at >= %(settled)s) AS cancelled_lately,
           sum(l.quantity) FILTER (WHERE o.progress = 'cancelled'
               AND o.created_at < %(since)s) AS cancelled_before,
           max(o.created_at) AS sold_at
    FROM orders o JOIN their_lines l ON l.channel = o.channel AND l.order_id = o.key
    WHERE o.there AND (NOT o.here OR o.progress = 'cancelled' OR o.created_at >= %(settled)s)
    GROUP BY l.channel, l.sku""",
    "sold": """
    WITH cancelled AS (
        SELECT DISTINCT channel, order_id FROM our_orders
        WHERE coalesce(cancelled, status ILIKE 'cancel%%'))
    SELECT channel, sku, sold, top, sum(sold) OVER (PARTITION BY sku) AS sold_anywhere FROM (
        SELECT channel, l.sku, sum(l.quantity) FILTER (WHERE c.order_id IS NULL) AS sold,
               row_number() OVER (PARTITION BY channel ORDER BY sum(l.quantity) DESC, l.sku)
               <= %(top)s AS top
        FROM our_lines l LEFT JOIN cancelled c USING (channel, order_id)
        GROUP BY channel, l.sku) s""",
    "anywhere": """
    SELECT sku, max(sold_anywhere) AS sold FROM sold GROUP BY sku""",
    "moves": """
    WITH lately AS (
        SELECT channel, sku, greatest(0, max(undone)) AS rose, least(0, min(undone)) AS fell
        FROM (SELECT channel, sku,
                     sum(delta) OVER (PARTITION BY channel, sku ORDER BY at DESC) AS undone
              FROM our_movements WHERE at >= %(settled)s) m
        GROUP BY channel, sku)
    SELECT channel, sku, moved, restocked, first_at, rose, fell FROM (
        SELECT channel, sku, sum(delta) AS moved, min(at) AS first_at,
               sum(delta) FILTER (WHERE NOT lower(reason) LIKE ANY(%(by_orders)s)) AS restocked
        FROM our_movements GROUP BY channel, sku) m LEFT JOIN lately USING (channel, sku)""",
    "pushed": """
    WITH last AS (
        SELECT DISTINCT ON (channel, sku) channel, sku, quantity, pushed_at
        FROM our_pushes ORDER BY channel, sku, pushed_at DESC)
    SELECT channel, sku, l.quantity, l.pushed_at,
           min(m.at) FILTER (WHERE l.pushed_at IS NULL OR m.at > l.pushed_at) AS waiting_since
    FROM last l FULL JOIN (SELECT * FROM our_movements WHERE %(pushes)s) m USING (channel, sku)
    GROUP BY channel, sku, l.quantity, l.pushed_at""",
}
"""What is known of a SKU from orders, movements and pushes: most SKUs have no row here."""

STOCK_FACTS = f"""
WITH opening AS (
    SELECT channel, sku, quantity AS opening, sold AS opening_sold,
           sold_anywhere AS opening_anywhere, restocked AS opening_restocked, moved AS opening_moved
    FROM openings WHERE look = %(opening)s
), ours AS (
    SELECT * FROM our_stock s LEFT JOIN opening USING (channel, sku)
    WHERE channel = ANY(%(known)s) AND sku IS NOT NULL
    AND (channel <> ALL(%(sampled)s) OR (channel, sku) IN (SELECT channel, sku FROM asked))
), theirs AS (
    SELECT * FROM their_stock WHERE channel = ANY(%(known)s)
), joined AS (
    SELECT channel, sku AS key, o.quantity, o.pool, o.pool_quantity, o.changed_at,
           coalesce(o.buffer, 0) AS buffer, coalesce(o.active, true) AS active, o.allocation,
           o.quantity IS NOT NULL AS here, t.quantity IS NOT NULL AS there, t.quantity AS theirs,
           t.updated_at, t.active AS their_active, t.reserved,
           coalesce(s.under_way, 0) AS under_way, coalesce(s.sold_lately, 0) AS sold_lately,
           coalesce(s.cancelled_lately, 0) AS cancelled_lately,
           coalesce(s.cancelled_before, 0) AS cancelled_before, s.sold_at,
           coalesce(m.moved, 0) AS moved, coalesce(m.restocked, 0) AS restocked, m.first_at,
           m.rose, m.fell, coalesce(d.sold, 0) AS sold, coalesce(d.top, false) AS top,
           coalesce(a.sold, 0) AS sold_anywhere,
           p.quantity AS pushed, p.pushed_at, p.waiting_since,
           o.opening, o.opening_sold, o.opening_anywhere, o.opening_restocked, o.opening_moved
    FROM ours o FULL JOIN theirs t USING (channel, sku)
    LEFT JOIN sales s USING (channel, sku) LEFT JOIN moves m USING (channel, sku)
    LEFT JOIN sold d USING (channel, sku) LEFT JOIN anywhere a USING (sku)
    LEFT JOIN pushed p USING (channel, sku)
), levels AS (
    SELECT *,
           least(allocation, greatest(0, quantity - buffer)) AS expected,
           least(allocation, greatest(0, quantity - coalesce(rose, 0) - buffer)) AS least,
           least(allocation, greatest(0, quantity - coalesce(fell, 0) - buffer)) AS most,
           changed_at >= %(settled)s AND rose IS NULL AS unsettled,
           updated_at > sold_at + {SAME_MOMENT} OR sold_at IS NULL AS unsold
    FROM joined
), ranges AS (
    SELECT *, least - greatest(under_way + sold_lately, reserved) AS lowest,
           most + cancelled_lately AS highest
    FROM levels
)
SELECT channel, key, quantity, pool, pool_quantity, active, buffer, here, there, theirs,
       their_active, under_way, cancelled_lately, cancelled_before, sold, sold_anywhere, restocked,
       moved, coalesce(top AND theirs > expected, false) AS top, expected, most, lowest, highest,
       greatest(lowest - theirs, theirs - highest, 0) AS distance,
       coalesce(unsettled, false) AS unsettled,
       coalesce(updated_at > %(at)s AND unsold, false) AS rose_unseen,
       coalesce(updated_at > greatest(%(settled)s, %(at)s - {MOST_UNSEEN}) AND unsold, false)
       AS fell_unseen,
       coalesce(changed_at >= %(settled)s AND opening IS NULL
                AND (first_at < %(settled)s) IS NOT TRUE, false) AS new_here,
       coalesce(updated_at >= %(settled)s, false) AS new_there,
       opening IS NOT NULL AS opened, quantity - opening AS change,
       sold - opening_sold AS sold_since, sold_anywhere - opening_anywhere AS sold_anywhere_since,
       restocked - opening_restocked AS restocked_since, moved - opening_moved AS moved_since,
       pushed, coalesce(waiting_since, CASE WHEN changed_at >= %(since)s
           AND (pushed_at IS NULL OR changed_at > pushed_at) THEN changed_at END) AS pushable_since
FROM ranges
"""

POOL_FACTS = """
WITH sizes AS (
    SELECT pool, count(*) AS size FROM our_stock WHERE pool IS NOT NULL GROUP BY pool
)
SELECT %(all)s AS channel, s.pool AS key, max(s.pool_quantity) AS pool_quantity,
       count(DISTINCT s.channel) AS channels, count(*) = max(z.size) AS whole, false AS top,
       coalesce(sum(s.theirs) FILTER (WHERE s.their_active AND s.theirs > 0), 0) AS theirs,
       sum(s.most - s.expected + s.cancelled_lately) AS lately,
       bool_or(s.unsettled OR s.rose_unseen) AS unsettled
FROM stock s JOIN sizes z USING (pool) WHERE s.here GROUP BY s.pool
"""
"""A pool is compared when every one of its rows is: all channels known, all its SKUs asked for."""

WRONG = {
    "stock": "SELECT * FROM stock WHERE {wrong}",
    "pools": "SELECT * FROM pools WHERE {wrong}",
    "orders": """
WITH wrong AS (SELECT * FROM orders WHERE {wrong}), ours AS (
    SELECT l.channel, l.order_id AS key,
           string_agg(concat(l.sku, ' x ', l.quantity), ', ' ORDER BY sku, quantity) AS our_shown
    FROM our_lines l JOIN wrong w ON l.channel = w.channel AND l.order_id = w.key AND w.ord_05
    GROUP BY 1, 2
), theirs AS (
    SELECT l.channel, l.order_id AS key,
           string_agg(concat(l.sku, ' x ', l.quantity), ', ' ORDER BY sku, quantity) AS their_shown
    FROM their_lines l JOIN wrong w ON l.channel = w.channel AND l.order_id = w.key AND w.ord_05
    GROUP BY 1, 2
)
SELECT * FROM wrong LEFT JOIN ours USING (channel, key) LEFT JOIN theirs USING (channel, key)
""",
}
"""The few rows that violate a rule, with what is shown of them."""
