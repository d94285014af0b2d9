"""Data sets whose files are known and checked, but for which there is no reader yet."""

from .entry import Entry, File, github


def _entry(name: str, task: str, licence: str, citation: str, split: str, *sources: tuple[str, str, str]) -> Entry:
    """Each source: repository (empty where the files are derived and have no address), commit, and a table of files.

    A line of the table: size, SHA-256, path in the repository and, where it differs from the end of the path, the name.
    """
    files = []
    for repository, commit, table in sources:
        for line in table.split("\n"):
            if line.strip():
                size, digest, path, *other = line.split()
                address = github(repository, commit, path) if repository else None
                files.append(File(other[0] if other else path.rsplit("/", 1)[-1], int(size), digest, address))
    return Entry(name, task, licence, citation, split, "no reader yet: `fetch` gives its files", tuple(files))


RAW = (
    _entry(
        "mr_polarity",
        "classification of sentences: 5,331 positive and 5,331 negative snippets of film reviews",
        "the repository is MIT; the data have no explicit licence (distributed freely for research)",
        "Pang & Lee, ACL 2005",
        "none; the literature uses 10-fold cross-validation",
        (
            "harvardnlp/sent-conv-torch",
            "d61ded09c99c0199d8c5bca946cd65864de2b296",
            """
612256 4ace77d558c3714723843f1d65b60c01e3417b208180f0728808d76ad0eeeaca data/raw/rt-polarity.neg
626139 2da124ec187a9d5a29c9f04e91c540e02baed5af8868f550a26bd6fd4dbf8bf0 data/raw/rt-polarity.pos
            """,
        ),
    ),
    _entry(
        "sst",
        "classification of sentences in two or five classes; trees with a label at every node",
        "none explicit: distributed freely for research; treat as research use",
        "Socher et al., EMNLP 2013",
        "official: 8,544, 1,101 and 2,210 (fine), 6,920, 872 and 1,821 (binary)",
        (
            "harvardnlp/sent-conv-torch",
            "d61ded09c99c0199d8c5bca946cd65864de2b296",
            """
94400 02fedc82855dbdcabe82c65ed1af6c6570788eaac51073cdb35ee8c7784426d1 data/stsa.binary.dev
193562 6a80dc9b9a0db2d3b37f2f809304febad31c90ab67a5b4157b7d9f881c53ef5b data/stsa.binary.test
738844 71c04bcc41291fa47454dd670df701b14ee9249156babeaac404cfe2c8d74338 data/stsa.binary.train
117239 b2f76c62b960f9fda5c6d751edb125abab4f878eb94a8754239b7f4af647f4c3 data/stsa.fine.dev
233634 0e2ebb450c231f7b3d67fc932066e7bb26ae7bad8c88488f45ed44ef02eb3c73 data/stsa.fine.test
902818 9b52b5f686ed438d4d0274c385369251b3d579b578fddd340ba8a9bae2ca4bee data/stsa.fine.train
            """,
        ),
        (
            "munikarmanish/RNTN",
            "12bb731ba9fbdcdf2368b8515a241773f2b97547",
            """
280825 0e9336aed6e4730e19f58d00a77b3f0297efdb755f7b5e598c98a05e3f97ea40 trees/dev.txt trees_dev.txt
559614 6e54806dee95cf80cd918e7dfb3f6770f6df24bf826f289a4d1f709e1c8f6761 trees/test.txt trees_test.txt
            """,
        ),
    ),
    _entry(
        "ud_english_ewt",
        "tagging: parts of speech, morphology and dependencies of English",
        "CC BY-SA 4.0",
        "Silveira et al., LREC 2014; Universal Dependencies v2.16",
        "official: 12,544, 2,001 and 2,077 sentences",
        (
            "UniversalDependencies/UD_English-EWT",
            "15d613d8447b3478787d4c278730a1e48a945efb",
            """
1805545 531a54ff90d6ab12201c5a50c3e78e6ddac4de69abc4bce5d275d3cd29efe2b6 en_ewt-ud-dev.conllu
1804515 e266e515a0a7547657ed3d90d9ba46487d6bd251f27ad4269d4e8a427c8555cd en_ewt-ud-test.conllu
14203025 3fb78e2b55482c8ee00caa653af436c88c9e5bc9a73ce26e4ae3ddc79d2b7e7b en_ewt-ud-train.conllu
            """,
        ),
    ),
    _entry(
        "wnut17",
        "tagging: rare and emerging named entities in noisy text",
        "CC BY 4.0",
        "Derczynski et al., W-NUT 2017",
        "official",
        (
            "leondz/emerging_entities_17",
            "e52a2d2a71ac1a051ca2d532eef28653c5c02603",
            """
114749 e053b752b8155113ca66e7db08af5f2f5f43ab993694e4774f1ec5bad42312d8 emerging.dev.conll
192425 2aa79b764e56ec9264a1b30fdd9b70195bd00ff400b62edd8f399d5f13c178f0 emerging.test.annotated
493781 731820e13f71af324c6b55a1575ec2ce59fbaa2a0806f8f0400b98d56cd6a7a5 wnut17train.conll
            """,
        ),
    ),
    _entry(
        "protein_ss",
        "tagging: secondary structure of proteins, 3 classes for each residue",
        "the repository has none; cite the donors",
        "Qian & Sejnowski, J. Mol. Biol. 1988",
        "official",
        (
            "rycw22/LSTM_AlphaHelicies",
            "ac7683acdca52e4d482f0cd324328564e739502e",
            """
14586 b794c73169bc50c88826b72332653db79415d8cca234ceb7a05232cffb5f2f9d protein-secondary-structure.test
73120 089030a3224116ffce9972c945b1487f0b594705189d4b7645e9e0fb6c0b5f5a protein-secondary-structure.train
            """,
        ),
    ),
    _entry(
        "multi30k_en_de",
        "translation between English and German",
        "no licence file; sentences for research, with citation",
        "Elliott et al., VL 2016; Elliott et al., WMT 2017",
        "official: 29,000, 1,014 and 1,000, and the test sets of 2017",
        (
            "multi30k/dataset",
            "a3d2e0d26b56f3846f66a952536ffed4e401d05a",
            """
22890 9204244e408ccb38d2a55cfcd344df15005fc42a07a6e55ca6c52b6ababb8cc8 data/task1/raw/test_2016_flickr.de.gz
21077 611d361c6334bc7246101d48097c13cf5c4413c5befc793cc629934359d532d9 data/task1/raw/test_2016_flickr.en.gz
71917 c6a33d39d48f9f510de147651316cd9d918e09ad0219df734a2f16b6baccacc4 data/task1/tok/test_2016_flickr.lc.norm.tok.de
63307 5b7f32627cf99eced828311b955dae9800bb52bc8b91cf8b6526829e605b29d2 data/task1/tok/test_2016_flickr.lc.norm.tok.en
21471 a2c89666db00c495cd8513b9d708d5a3acc205d7de312ef2bf5fb7ebc1540aee data/task1/raw/test_2017_flickr.de.gz
19138 76a444ee25172e72695cddb13ae4a3bda59430617be88e0bb46b60504f054074 data/task1/raw/test_2017_flickr.en.gz
10230 799e4854c25d601cb6cb6be29eabe5667734c61ace2f495e03e429031a0bc338 data/task1/raw/test_2017_mscoco.de.gz
8844 aab300bfb4427697987e02cd0aacd44bfe8aa50456231b6474c08038bbed2b58 data/task1/raw/test_2017_mscoco.en.gz
637044 726e39b2fa9eb9ffb6dc763fb35a179f80fae06ffc5d28b6ace5faa883de28a6 data/task1/raw/train.de.gz
568929 d79cfa999dd4c51d2cb42499b6796d5a882c3a8a961923c25a898c90f8bbd56f data/task1/raw/train.en.gz
2150008 cb5a23529b65ec2061f1dc446192a9c37382b63cc75f81a0be59d34894b3a505 data/task1/tok/train.lc.norm.tok.de
1837696 08925f8e0572bcd5a006702fc5fe20e2d77c6917d4eebd576fc20de6693c2119 data/task1/tok/train.lc.norm.tok.en
24681 f0cba2f995189cf5770f29a8a9a537a3ad3f51657ad873405082ff6863a5e75a data/task1/raw/val.de.gz
21650 14f7d25ddd868909a9213e361768460edcacdd6ab9d1e77b92560dc10c10dc28 data/task1/raw/val.en.gz
77273 97232bd273eceb7207f689527386a97e4be2616b18ada47576bdaf96c8ae1f00 data/task1/tok/val.lc.norm.tok.de
64608 46573ce391ae227f1c72f873392436a20ef18e0a6d518098cfbd70b77c8572ec data/task1/tok/val.lc.norm.tok.en
            """,
        ),
    ),
    _entry(
        "cmudict",
        "pronunciation of English words",
        "BSD-2-Clause style",
        "CMU Pronouncing Dictionary",
        "none official",
        (
            "cmusphinx/cmudict",
            "0f8072f814306c5ee4fbf992ed853601b12c01f9",
            """
3618488 81917843c7f44ce2b094ac63873c2c7a4cf802040792c455ba3ca406891c3d22 cmudict.dict
382 ffb588a5e55684723582c7256e1d2f9fadb130011392d9e59237c76e34c2cfd6 cmudict.phones
281 408ccaae803641c6d7b626b6299949320c2dbca96b2220fd3fb17887b023b027 cmudict.symbols
            """,
        ),
    ),
    _entry(
        "scan",
        "translation of commands into actions, with splits that ask for systematic generalisation",
        "BSD",
        "Lake & Baroni, ICML 2018",
        "official: simple, length, addprim_jump",
        (
            "brendenlake/SCAN",
            "c4b756cbc010d75c912f16c42c8f15dc6b7e6c8f",
            """
1531555 8147ae2651422c701162e174d9d66158daa57858a26b30317ac61797118ac7a5 add_prim_split/tasks_test_addprim_jump.txt
1356970 0760752ed34a75116ae11dcc1ee17526b7500060da1366540730fa24894d7db3 length_split/tasks_test_length.txt
812450 1fe1c8f5a19d0dc40e41bab94278f45f66f3dc415a978bd29855a23440610fc6 simple_split/tasks_test_simple.txt
2579619 e3c78485692e028eed4205e1b8b3fd0e785ef2c12d45b5b89204dadf5b239e23 add_prim_split/tasks_train_addprim_jump.txt
2723418 b034212dc7cf87ce62f3a067dd6ad49c4d5cd18d51d615d13825516bcb1ebbc2 length_split/tasks_train_length.txt
3267938 941bb8a088c5f53ceff12fde902dc008933cf0c4203cc672c47b5f79d73262dd simple_split/tasks_train_simple.txt
            """,
        ),
    ),
    _entry(
        "listops",
        "evaluation of nested list operations, 10 classes",
        "MIT",
        "Nangia & Bowman, NAACL SRW 2018",
        "test files only: training data are generated by the published rules",
        (
            "nyu-mll/spinn",
            "0e24a35c7be00e9f67814b0c846c3095cfe7632b",
            """
2804179 71335416e6896e8dd8dc69281c8ed9b37316382d05d3705d660461564e843840 python/spinn/data/listops/test_d20s.tsv
1041557 d96f90fcdbf2456e1a5c425b4b933350cb6c30b9fbe509248429c9f32ec367ef python/spinn/data/listops/test_d5c.tsv
1023225 881061477e62e9941332825bf417e25a13de50a38bf74a893e23f4ef05b18087 python/spinn/data/listops/test_d8.tsv
            """,
        ),
    ),
    _entry(
        "babi_en",
        "question answering over short stories, 20 tasks",
        "CC BY 3.0",
        "Weston, Bordes, Chopra, Mikolov, Rush, 2015",
        "official",
        (
            "",
            "",
            """
627288 99e20ca09399ce8cd7f017e358e358f4ce53810cc42a666356b4391911f6a0a0 babi_en_1k.zip
1838459 7f92548361075b33bd5d46c2a7222ed19813797a670fc412a8d825c4fda6a5ff babi_en_valid_10k_part.zip
637871 06d6c160433c0d4867a8c14a33a536518065792c80b4a37803dab0dec319b797 babi_en_valid_1k.zip
            """,
        ),
    ),
    _entry(
        "unipen_words",
        "transcription of handwritten words, as traces of a pen",
        "CC BY 4.0 (Zenodo 1195803); the notice of 1999 forbids commercial distribution",
        "Guyon et al., ICPR 1994; UNIPEN train_r01_v07, Zenodo 1195803",
        "by writer",
        (
            "",
            "",
            """
9958590 539c3689fada70f9da50fbd7b8c3a6b274e353fb2cd488c390f16946c299f742 unipen_words.npz
            """,
        ),
    ),
    _entry(
        "celegans_calcium",
        "prediction of the next step of 98 neurons of C. elegans",
        "CC BY 3.0 US",
        "Atanas, Kim et al., Cell 2023; Zenodo 8185377",
        "none; usual is 70, 15 and 15 % in time",
        (
            "BenThrelfall/the_worm_machine",
            "6eaa574b5f3c70e8e648f655040f94e81eb85d85",
            """
2272 030dbe4ab83c6b74bd5309881b485265aeb495dcf75d846d64199f28511131d7 rust/processed_data/neurons.json
3283508 c7ed6136f1635b43e37c9e466b18c6780268b8a0a9fd89d8d56c552d32fcccc6 rust/processed_data/time_trace.json
            """,
        ),
    ),
    _entry(
        "alkanes",
        "regression on trees: boiling points of 150 alkanes",
        "the repository is GPL-3.0; the data are free for research (GREYC)",
        "Cherqaoui & Villemin 1994; Bianucci et al. 2000",
        "none; 10-fold cross-validation",
        (
            "",
            "",
            """
37038 a0cc315dd9f71bd05207ba4780fd7b9e893bec6b41d893a8444b4db5bf9dee68 Alkane.zip
            """,
        ),
    ),
    _entry(
        "ctc_line",
        "decoding: outputs of a network for two images of handwriting, with published decodings",
        "MIT",
        "H. Scheidl, CTCDecoder",
        "none",
        (
            "githubharald/CTCDecoder",
            "6b5c3dd34944e5399a7308e241319b7f9c47e7c3",
            """
43 1854be81ef45478ae75252b691a7132312b3e14558e3f0a67a97216d3a3c0c80 data/line/corpus.txt
71086 dcd41d1893cbc79f92f820e81afa939e6c30daeb6e49f976977c080b3ee3452f data/line/rnnOutput.csv
810 eedd462f3bed56c1cfbbf33acfcbcd80618113a5377934d3c1946af38821c01e data/word/corpus.txt word_corpus.txt
22766 51493793fc3e203263911eab51ec27b9d7e7fa67607350ffae2aa9638a5718cb data/word/rnnOutput.csv word_rnnOutput.csv
            """,
        ),
    ),
)
"""Entries without a reader."""
