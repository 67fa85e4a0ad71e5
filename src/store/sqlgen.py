"""Turns the SQL catalogue (sql/*.sql, migrations/*.sql) into sql.h and sql.c.

A statement starts with `-- name: word` and ends with the next one or the file. A list of columns
starts with `-- columns: word` in the same way, and is written once:

    -- columns: file
    id, name, COALESCE(size, 0) AS size

    {file}          the list                    id, name, COALESCE(size, 0) AS size
    {file:f}        of a table with an alias    f.id, f.name, ...  (plain names only)
    {file.values}   its parameters              $1, $2, $3
    {file.name}     one of them                 $2
    {file.end}      the one behind them         $4

C reads VEND_COL_FILE_NAME (from 0; VEND_COL_FILE_N is what follows), and binds
VEND_ARG_FILE_NAME (from 1). A list may contain other lists.

The texts suit SQLite and PostgreSQL. Where the two part, a file of the same name in the folder
`postgres` beside has the other text: of a statement, or of a whole migration. WITHOUT ROWID and
triggers are translated.

For each table of the migrations there are four statements more, which copy its rows to another
database: rows_all_TABLE and rows_after_TABLE read them in the order of the key, rows_add_TABLE and
rows_clear_TABLE write.
"""

import pathlib
import re
import sqlite3
import sys

HEAD = re.compile(r"^-- (name|columns): (\w+)\s*$", re.M)
HOLE = re.compile(r"\{(\w+)(?:([:.])(\w+))?\}")
TRIGGER = re.compile(r"CREATE TRIGGER (\w+) (AFTER [A-Z]+) ON (\w+) BEGIN\n(.*?)\nEND;", re.S)
MODELS = re.compile(r"(INSERT INTO|UPDATE|DELETE FROM) (models|versions)\b")
POSTGRES = "postgres"
# Tables for words, which a database makes of the others by itself.
WORDS = re.compile(r"^(CREATE VIRTUAL TABLE|INSERT INTO \w+_search) .*?;", re.S | re.M)
# What a database knows of itself.
NOT_COPIED = {"migrations", "control_planes", "moved_tables"}
# Triggers count in it while others are copied.
COPIED_LAST = "stored_bytes"
MOST_KEYS = 4


def c_string(text: str) -> str:
    return "\n".join(
        '  "%s\\n"' % line.replace("\\", "\\\\").replace('"', '\\"') for line in text.splitlines()
    )


def parts(path: pathlib.Path) -> list[tuple[str, str, str]]:
    """Kind, name and text of all that stands in a file."""
    pieces = HEAD.split(path.read_text())
    if pieces[0].replace("-", "").strip() and not pieces[0].lstrip().startswith("--"):
        sys.exit(f"{path}: text before the first '-- name:' or '-- columns:'")
    found = []
    for kind, name, body in zip(pieces[1::3], pieces[2::3], pieces[3::3]):
        lines = [line for line in body.strip().splitlines() if not line.startswith("--")]
        found.append((kind, name, "\n".join(lines).strip().rstrip(";")))
    return found


def split_columns(text: str) -> list[str]:
    """At commas outside of brackets."""
    columns, depth, start = [], 0, 0
    for i, character in enumerate(text + ","):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            columns.append(" ".join(text[start:i].split()))
            start = i + 1
    return columns


def name_of(column: str) -> str:
    return re.split(r"[ .]", column)[-1]


class Lists:
    """The lists of columns, and the texts with them filled in."""

    def __init__(self, found: list[tuple[str, str]]) -> None:
        self.columns: dict[str, list[str]] = {}
        self.used: set[str] = set()
        self.bound: set[str] = set()
        for name, text in found:
            if name in self.columns:
                sys.exit(f"two lists of columns with the name {name}")
            self.columns[name] = split_columns(self.fill(name, text))

    def fill(self, where: str, text: str) -> str:
        def replace(match: re.Match[str]) -> str:
            name, mark, word = match.groups()
            if name not in self.columns:
                sys.exit(f"{where}: there is no list of columns {name}")
            self.used.add(name)
            columns = self.columns[name]
            if mark is None:
                return ", ".join(columns)
            if mark == ":":
                if any(not re.fullmatch(r"\w+", column) for column in columns):
                    sys.exit(f"{where}: {name} has more than plain names")
                return ", ".join(f"{word}.{column}" for column in columns)
            self.bound.add(name)
            if word == "values":
                return ", ".join(f"${i}" for i in range(1, len(columns) + 1))
            names = [name_of(column) for column in columns] + ["end"]
            if word not in names:
                sys.exit(f"{where}: {name} has no column {word}")
            return f"${names.index(word) + 1}"

        return HOLE.sub(replace, text)

    def enums(self) -> str:
        lines = []
        for name, columns in self.columns.items():
            if name not in self.used:
                sys.exit(f"nobody uses the columns {name}")
            prefix = name.upper()
            words = [name_of(column).upper() for column in columns]
            lines += ["", "enum", "{"]
            lines += [f"  VEND_COL_{prefix}_{word}," for word in words]
            lines += [f"  VEND_COL_{prefix}_N", "};"]
            if name in self.bound:
                lines += ["", "enum", "{", f"  VEND_ARG_{prefix}_0,"]
                lines += [f"  VEND_ARG_{prefix}_{word}," for word in words]
                lines += [f"  VEND_ARG_{prefix}_END", "};"]
        return "\n".join(lines)


def read_catalogue(paths: list[pathlib.Path]) -> tuple[Lists, list[tuple[str, str]]]:
    found = [part for path in paths for part in parts(path)]
    lists = Lists([(name, text) for kind, name, text in found if kind == "columns"])
    catalogue = [(name, lists.fill(name, text)) for kind, name, text in found if kind == "name"]
    names = [name for name, _ in catalogue]
    doubled = {name for name in names if names.count(name) > 1}
    if doubled:
        sys.exit(f"statements with the same name: {', '.join(sorted(doubled))}")
    return lists, catalogue


def read_overlay(paths: list[pathlib.Path], lists: Lists, base: list[tuple[str, str]]) -> dict[str, str]:
    """Statements in the words of PostgreSQL."""
    overlay = {name: lists.fill(name, text) for path in paths for _, name, text in parts(path)}
    unknown = overlay.keys() - {name for name, _ in base}
    if unknown:
        sys.exit(f"overlays of no statement: {', '.join(sorted(unknown))}")
    return overlay


def to_postgres(migration: str) -> str:
    text = migration.replace(") WITHOUT ROWID;", ");")
    return TRIGGER.sub(
        r"CREATE FUNCTION \1 () RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN\n\4\n  RETURN NULL;\nEND $$;\n"
        r"CREATE TRIGGER \1 \2 ON \3 FOR EACH ROW EXECUTE FUNCTION \1 ();",
        text,
    )


def read_migrations(paths: list[pathlib.Path], overlays: list[pathlib.Path]) -> list[tuple[str, str, str]]:
    """Name, text for SQLite and text for PostgreSQL."""
    others = {path.stem: path.read_text() for path in overlays}
    unknown = others.keys() - {path.stem for path in paths}
    if unknown:
        sys.exit(f"overlays of no migration: {', '.join(sorted(unknown))}")
    texts = [(path.stem, path.read_text()) for path in sorted(paths)]
    return [(name, text, others.get(name) or to_postgres(text)) for name, text in texts]


class Table:
    def __init__(self, db: sqlite3.Connection, name: str) -> None:
        self.name = name
        columns = db.execute("SELECT name, pk FROM pragma_table_info(?)", (name,)).fetchall()
        self.columns = [column for column, _ in columns]
        self.key = [column for _, column in sorted((at, column) for column, at in columns if at > 0)]
        self.parents = {row[0] for row in db.execute('SELECT "table" FROM pragma_foreign_key_list(?)', (name,))}
        if not 1 <= len(self.key) <= MOST_KEYS:
            sys.exit(f"{name}: a key of 1 to {MOST_KEYS} columns is needed, for copies of its rows")

    def statements(self) -> list[tuple[str, str]]:
        columns, key = ", ".join(self.columns), ", ".join(self.key)
        read = f"SELECT {columns} FROM {self.name}"
        after = ", ".join(f"${i}" for i in range(1, len(self.key) + 1))
        values = ", ".join(f"${i}" for i in range(1, len(self.columns) + 1))
        return [
            (f"rows_all_{self.name}", f"{read} ORDER BY {key}"),
            (f"rows_after_{self.name}", f"{read} WHERE ({key}) > ({after}) ORDER BY {key}"),
            (f"rows_add_{self.name}", f"INSERT INTO {self.name} ({columns}) VALUES ({values})"),
            (f"rows_clear_{self.name}", f"DELETE FROM {self.name}"),
        ]

    def entry(self) -> str:
        statements = ", ".join(f"VEND_SQL_{name.upper()}" for name, _ in self.statements())
        keys = ", ".join(str(self.columns.index(column)) for column in self.key)
        return f'  {{ "{self.name}", {statements}, {len(self.columns)}, {len(self.key)}, {{ {keys} }} }}'


def read_tables(migrations: list[tuple[str, str, str]]) -> list[Table]:
    """Each behind those that it refers to."""
    db = sqlite3.connect(":memory:")
    for _, text, _ in migrations:
        db.executescript(WORDS.sub("", text))
    names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    waiting = [Table(db, name) for name in names if name not in NOT_COPIED and not name.startswith("sqlite_")]
    waiting.sort(key=lambda table: (table.name == COPIED_LAST, table.name))
    done: list[Table] = []
    while waiting:
        known = {table.name for table in done}
        ready = [table for table in waiting if table.parents - {table.name} <= known]
        if not ready:
            sys.exit(f"tables refer to each other: {', '.join(table.name for table in waiting)}")
        first = next((table for table in ready if table.name != COPIED_LAST), ready[0])
        if first.name == COPIED_LAST and len(waiting) > 1:
            sys.exit(f"tables refer to {COPIED_LAST}")
        done.append(first)
        waiting.remove(first)
    return done


def header_text(lists: Lists, catalogue: list[tuple[str, str]]) -> str:
    enum = "\n".join(f"  VEND_SQL_{name.upper()}," for name, _ in catalogue)
    return f"""/* Generated from src/store/sql and src/store/migrations. */
#pragma once
#include <stdbool.h>
#include <glib.h>

typedef enum
{{
{enum}
  VEND_SQL_N
}} VendSql;
{lists.enums()}

typedef enum
{{
  VEND_DIALECT_SQLITE,
  VEND_DIALECT_POSTGRES,
  VEND_DIALECT_N
}} VendDialect;

typedef struct
{{
  int number;
  const char *name;
  const char *sql[VEND_DIALECT_N];
}} VendMigration;

/* A table that is copied to another database: `all` reads its rows by key, `after` those behind the
 * key that it is given, `add` takes all columns. */
typedef struct
{{
  const char *name;
  VendSql all, after, add, clear;
  int n_columns;
  int n_keys;
  int keys[{MOST_KEYS}]; /* columns, from 0 */
}} VendSqlTable;

const char *vend_sql_text (VendDialect dialect, VendSql sql);
const char *vend_sql_name (VendSql sql);
/* Each behind those that it refers to. */
const VendSqlTable *vend_sql_tables (gsize *out_count);
bool vend_sql_changes_models (VendSql sql); /* or their versions */
const VendMigration *vend_migrations (gsize *out_count);
"""


def source_text(
    catalogue: list[tuple[str, str]],
    overlay: dict[str, str],
    migrations: list[tuple[str, str, str]],
    tables: list[Table],
) -> str:
    texts = ",\n".join(
        f'  {{ {str(bool(MODELS.match(sql))).lower()}, "{name}", {{\n{c_string(sql)},\n{c_string(overlay[name]) if name in overlay else "  NULL"} }} }}'
        for name, sql in catalogue
    )
    steps = ",\n".join(
        f'  {{ {int(name.split("-")[0])}, "{name}", {{\n{c_string(one)},\n{c_string(other)} }} }}'
        for name, one, other in migrations
    )
    entries = ",\n".join(table.entry() for table in tables)
    return f"""/* Generated from src/store/sql and src/store/migrations. */
#include "store/sql.h"

static const struct {{ bool changes_models; const char *name, *texts[VEND_DIALECT_N]; }} statements[VEND_SQL_N] = {{
{texts}
}};

static const VendMigration migrations[] = {{
{steps}
}};

static const VendSqlTable tables[] = {{
{entries}
}};

const char *
vend_sql_text (VendDialect dialect, VendSql sql)
{{
  const char *text = statements[sql].texts[dialect];
  return text != NULL ? text : statements[sql].texts[VEND_DIALECT_SQLITE];
}}

const char *
vend_sql_name (VendSql sql)
{{
  return statements[sql].name;
}}

bool
vend_sql_changes_models (VendSql sql)
{{
  return statements[sql].changes_models;
}}

const VendSqlTable *
vend_sql_tables (gsize *out_count)
{{
  *out_count = G_N_ELEMENTS (tables);
  return tables;
}}

const VendMigration *
vend_migrations (gsize *out_count)
{{
  *out_count = G_N_ELEMENTS (migrations);
  return migrations;
}}
"""


def main(header: str, source: str, files: list[str]) -> None:
    paths = [pathlib.Path(f) for f in files]
    by_folder: dict[str, list[pathlib.Path]] = {}
    for path in paths:
        kind = path.parent.parent.name if path.parent.name == POSTGRES else ""
        by_folder.setdefault(kind + path.parent.name, []).append(path)
    migrations = read_migrations(by_folder.get("migrations", []), by_folder.get("migrations" + POSTGRES, []))
    lists, catalogue = read_catalogue(by_folder["sql"])
    overlay = read_overlay(by_folder.get("sql" + POSTGRES, []), lists, catalogue)
    tables = read_tables(migrations)
    catalogue += [statement for table in tables for statement in table.statements()]
    pathlib.Path(header).write_text(header_text(lists, catalogue))
    pathlib.Path(source).write_text(source_text(catalogue, overlay, migrations, tables))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
