"""Chinese captions, modern and classical → factors. Shares no code with the renderers."""

from modaloom.world.parsers.lexicon import Lexicon, moves

SKIP = "[，。：\\s]"

PLAIN = Lexicon(
    {
        "shape": {"圆形": "circle", "方形": "square", "三角": "triangle", "星形": "star"},
        "colour": {
            "红色": "red",
            "绿色": "green",
            "蓝色": "blue",
            "黄色": "yellow",
            "紫色": "purple",
            "橙色": "orange",
        },
        "size": {"小型": "small", "微型": "small", "大型": "large", "巨型": "large"},
        "position": {
            "左上": "top left",
            "中上": "top centre",
            "右上": "top right",
            "左中": "middle left",
            "正中": "middle centre",
            "右中": "middle right",
            "左下": "bottom left",
            "中下": "bottom centre",
            "右下": "bottom right",
        },
        "motion": moves(
            ("{pace}向{way}移动", "向{way}{pace}移动"),
            {"左": "left", "右": "right", "上": "up", "下": "down"},
            {"缓慢": "slow", "快速": "fast"},
        ),
    },
    glue=("有", "一个", "的", "在", "是", "这是", "图中", "正", "它"),
    edge="",
    skip=SKIP,
)
CLASSICAL = Lexicon(
    {
        "shape": {"圆": "circle", "方": "square", "圭": "triangle", "星": "star"},
        "colour": {"赤": "red", "翠": "green", "青": "blue", "黄": "yellow", "紫": "purple", "橘": "orange"},
        "size": {"小": "small", "微": "small", "大": "large", "巨": "large"},
        "position": {
            "西北": "top left",
            "正北": "top centre",
            "东北": "top right",
            "正西": "middle left",
            "中央": "middle centre",
            "正东": "middle right",
            "西南": "bottom left",
            "正南": "bottom centre",
            "东南": "bottom right",
        },
        "motion": moves(
            ("{pace}而{way}行", "{way}行而{pace}"),
            {"西": "left", "东": "right", "北": "up", "南": "down"},
            {"徐": "slow", "疾": "fast"},
        ),
    },
    glue="有其色今居焉形之而",
    edge="",
    skip=SKIP,
)
