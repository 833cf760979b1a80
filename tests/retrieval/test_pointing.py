"""Which definition of a chunk is pointed at."""

import pytest

from git_skillmesh.chunking import chunk
from git_skillmesh.retrieval.excerpt import mark
from git_skillmesh.retrieval.pointing import point
from git_skillmesh.retrieval.terms import parse

PYTHON = """class Store:
    \"\"\"Keeps parcels.\"\"\"

    def put(self, parcel):
        self.items.append(parcel)

    def take(self):
        # the oldest one first
        return self.items.pop(0)


def put(store, parcel):
    store.put(parcel)


def weigh(parcel):
    return parcel.grams
"""
JAVA = """package post;

class Scale {
  Scale(int limit) {
    this.limit = limit;
  }

  int weigh(Parcel parcel) {
    return parcel.grams;
  }
}
"""
GO = """package post

// Weigh gives the grams of a parcel.
func Weigh(p Parcel) int {
	return p.Grams
}

// A Depot keeps parcels.
type Depot struct{ parcels []Parcel }

func (d *Depot) Put(p Parcel) {
	d.parcels = append(d.parcels, p)
}
"""
RUBY = """module Post
  class Depot
    def put(parcel)
      @parcels << parcel
    end

    def self.open(path)
      new(File.read(path))
    end
  end
end
"""
CPP = """namespace post {
struct Scale;

int weigh(const Parcel& parcel) {
  return parcel.grams;
}

int post_age(const Parcel& parcel, int zone) {
  return zone * 70;
}
}
"""
HASKELL = """module Post where

-- | The grams of a parcel.
weigh :: Parcel -> Int
weigh = grams

isHeavy :: Parcel -> Bool
isHeavy parcel = weigh parcel > 2000
"""
SHELL = "put() {\n  cp $1 depot/\n}\n\nweigh() {\n  stat -c %s $1\n}\n"
MARKDOWN = "# Post\n\nWhat it is.\n\n## Weighing\n\nParcels go on the scale.\n"
YAML = "weigh:\n  scale: one\ndeliver:\n  by: van\n"


def pointed(language: str, source: str, text: str) -> str:
    (one,) = chunk(source.encode(), language)
    query = parse(text)
    weights = dict.fromkeys(query.stems, 1.0)
    marked = mark(one.text.split("\n"), query)
    found = point(one.outline, marked, one.start_line, query, weights)
    return f"{found.line} {found.symbol}" if found else ""


@pytest.mark.parametrize(
    ("language", "source", "query", "expected"),
    [
        # the name of a definition
        ("python", PYTHON, "Store", "1 Store"),
        ("python", PYTHON, "weigh", "16 weigh"),
        ("python", PYTHON, "take()", "7 Store.take"),
        ("python", PYTHON, "Store.put", "4 Store.put"),
        ("java", JAVA, "weigh", "8 Scale.weigh"),
        ("java", JAVA, "Scale", "3 Scale"),
        ("go", GO, "Weigh", "4 Weigh"),
        ("go", GO, "Depot", "9 Depot"),
        ("go", GO, "Depot.Put", "11 Depot.Put"),
        ("ruby", RUBY, "Depot", "2 Post.Depot"),
        ("ruby", RUBY, "put", "3 Post.Depot.put"),
        ("cpp", CPP, "weigh", "4 post.weigh"),
        ("cpp", CPP, "postAge", "8 post.post_age"),
        ("haskell", HASKELL, "isHeavy", "7 isHeavy"),
        ("bash", SHELL, "weigh", "5 weigh"),
        ("markdown", MARKDOWN, "Weighing", "5 Post > Weighing"),
        ("yaml", YAML, "deliver", "3 deliver"),
        # words
        ("python", PYTHON, "oldest item first", "7 Store.take"),
        ("python", PYTHON, "how many grams", "16 weigh"),
        ("python", PYTHON, "the store keeps parcels and pops items", "1 Store"),
        ("go", GO, "what keeps the parcels", "9 Depot"),
        ("ruby", RUBY, "open from a file path", "7 Post.Depot.open"),
        ("cpp", CPP, "cost by zone", "8 post.post_age"),
        ("haskell", HASKELL, "the grams of a parcel", "4 weigh"),
        ("markdown", MARKDOWN, "how parcels go on a scale", "5 Post > Weighing"),
        # nothing tells: the first
        ("python", PYTHON, "unheard of", "1 Store"),
        ("bash", SHELL, "unheard of", "1 put"),
        ("text", "No names here.\n", "names", ""),
    ],
)
def test_the_definition_that_answers(language: str, source: str, query: str, expected: str) -> None:
    assert pointed(language, source, query) == expected


def test_a_thousand_words_and_no_weights_are_fine() -> None:
    assert pointed("python", PYTHON, "weigh " + "parcel store " * 500).endswith("weigh")
    assert pointed("python", PYTHON, "…").endswith("Store")
