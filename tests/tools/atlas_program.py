"""A program in Go that applies a folder by Atlas' own library, file by file as its command does.

The command itself is a module of its own, which not every proxy has; reading the files, their sum, their directives, their
statements and sending them is the library's. The command's share is the transaction of each file, and its table of books.
"""

PROGRAM = """\
package main

import (
	"context"
	"database/sql"
	"log"
	"os"

	"ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/postgres"
	_ "github.com/lib/pq"
)

type execQuerier interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func apply(ctx context.Context, on execQuerier, dir migrate.Dir, file migrate.File) error {
	driver, err := postgres.Open(on)
	if err != nil {
		return err
	}
	executor, err := migrate.NewExecutor(driver, dir, migrate.NopRevisionReadWriter{}, migrate.WithAllowDirty(true))
	if err != nil {
		return err
	}
	return executor.Execute(ctx, file)
}

func inTransaction(ctx context.Context, db *sql.DB, dir migrate.Dir, file migrate.File) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := apply(ctx, tx, dir, file); err != nil {
		tx.Rollback()
		return err
	}
	return tx.Commit()
}

func main() {
	ctx := context.Background()
	db, err := sql.Open("postgres", os.Args[1])
	check(err)
	dir, err := migrate.NewLocalDir(os.Args[2])
	check(err)
	check(migrate.Validate(dir))
	files, err := dir.Files()
	check(err)
	for _, file := range files {
		mode := ""
		if local, ok := file.(*migrate.LocalFile); ok {
			for _, found := range local.Directive("txmode") {
				mode = found
			}
		}
		if mode == "none" {
			check(apply(ctx, db, dir, file))
		} else {
			check(inTransaction(ctx, db, dir, file))
		}
	}
}
"""
