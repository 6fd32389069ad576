from pipelines.files import page_stem


def stem(uri, page_index=0, document_pages=1, sha256="abcdef0123456789"):
    return page_stem(uri, page_index, document_pages, sha256)


def test_files_about_different_pages_have_different_names():
    names = [
        stem("/s/a.png"),
        stem("/s/a.png", sha256="0123456789abcdef"),
        stem("/s/a.jpg"),
        *(stem("/s/a.tif", i, 2) for i in range(2)),
    ]
    assert len(set(names)) == len(names)


def test_name_about_a_page_is_safe_and_tells_its_document():
    assert stem("gs://bucket/box 2/mü*ller?.png") == "mü_ller_.png-abcdef01"
    assert stem("/s/ledger.tif", 1, 2) == "ledger.tif-abcdef01-page2"
    assert len(stem("/s/" + "x" * 250)) < 120
