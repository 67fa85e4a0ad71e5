"""Turns the SQL catalogue (sql/*.sql, migrations/*.sql) into sql.h and sql.c.

A statement starts with `-- name: word` and ends with the next one or the file.
"""

import pathlib
import re
import sys


def c_string(text: str) -> str:
    return "\n".join(
        '  "%s\\n"' % line.replace("\\", "\\\\").replace('"', '\\"') for line in text.splitlines()
    )


def statements(path: pathlib.Path) -> list[tuple[str, str]]:
    parts = re.split(r"^-- name: (\w+)\s*$", path.read_text(), flags=re.M)
    if parts[0].replace("-", "").strip() and not parts[0].lstrip().startswith("--"):
        sys.exit(f"{path}: text before the first '-- name:'")
    found = []
    for name, body in zip(parts[1::2], parts[2::2]):
        lines = [line for line in body.strip().splitlines() if not line.startswith("--")]
        found.append((name, "\n".join(lines).strip().rstrip(";")))
    return found


def main(header: str, source: str, files: list[str]) -> None:
    paths = [pathlib.Path(f) for f in files]
    catalogue = [s for p in paths if p.parent.name == "sql" for s in statements(p)]
    migrations = sorted(p for p in paths if p.parent.name == "migrations")
    names = [name for name, _ in catalogue]
    doubled = {name for name in names if names.count(name) > 1}
    if doubled:
        sys.exit(f"statements with the same name: {', '.join(sorted(doubled))}")

    enum = "\n".join(f"  VEND_SQL_{name.upper()}," for name in names)
    pathlib.Path(header).write_text(
        f"""/* Generated from src/store/sql and src/store/migrations. */
#pragma once
#include <glib.h>

typedef enum
{{
{enum}
  VEND_SQL_N
}} VendSql;

typedef struct
{{
  int number;
  const char *name;
  const char *sql;
}} VendMigration;

const char *vend_sql_text (VendSql sql);
const char *vend_sql_name (VendSql sql);
const VendMigration *vend_migrations (gsize *out_count);
"""
    )

    texts = ",\n".join(f'  {{ "{name}",\n{c_string(sql)} }}' for name, sql in catalogue)
    steps = ",\n".join(
        f'  {{ {int(p.name.split("-")[0])}, "{p.stem}",\n{c_string(p.read_text())} }}'
        for p in migrations
    )
    pathlib.Path(source).write_text(
        f"""/* Generated from src/store/sql and src/store/migrations. */
#include "store/sql.h"

static const struct {{ const char *name, *text; }} statements[VEND_SQL_N] = {{
{texts}
}};

static const VendMigration migrations[] = {{
{steps}
}};

const char *
vend_sql_text (VendSql sql)
{{
  return statements[sql].text;
}}

const char *
vend_sql_name (VendSql sql)
{{
  return statements[sql].name;
}}

const VendMigration *
vend_migrations (gsize *out_count)
{{
  *out_count = G_N_ELEMENTS (migrations);
  return migrations;
}}
"""
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
