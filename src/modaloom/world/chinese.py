"""Streams `caption.zh` and `caption.classical`: modern Chinese, and the Chinese of classical mathematics.

圭 is a triangle in the Nine Chapters. Classical positions and directions are compass points, north on top.
"""

from modaloom.world.phrasebook import Paraphrases, Phrasebook
from modaloom.world.scene import DIRECTIONS, FACTORS

CHINESE = Phrasebook(
    "caption.zh",
    Paraphrases(
        seen=(
            "{position}有一个{size}的{colour}{shape}",
            "一个{size}的{colour}{shape}在{position}",
            "在{position}有一个{colour}的{size}{shape}",
            "{position}是一个{colour}{size}{shape}",
            "这是{position}的一个{size}{shape}，{colour}",
            "图中有{colour}的{size}{shape}，在{position}",
        ),
        novel=(
            "在{position}，一个{size}{shape}，{colour}",
            "一个{colour}的{size}{shape}在{position}",
            "图中，{position}有一个{size}的{colour}{shape}",
        ),
    ),
    Paraphrases(
        seen=(
            "，{speed}向{direction}移动",
            "，向{direction}{speed}移动",
            "，正{speed}向{direction}移动",
            "，正向{direction}{speed}移动",
            "，它{speed}向{direction}移动",
        ),
        novel=("，它向{direction}{speed}移动", "，它正{speed}向{direction}移动"),
    ),
    {
        "shape": dict(zip(FACTORS["shape"], ("圆形", "方形", "三角", "星形"), strict=True)),
        "colour": dict(zip(FACTORS["colour"], ("红色", "绿色", "蓝色", "黄色", "紫色", "橙色"), strict=True)),
        "size": {"small": "小型|微型", "large": "大型|巨型"},
        "position": dict(
            zip(
                FACTORS["position"],
                ("左上", "中上", "右上", "左中", "正中", "右中", "左下", "中下", "右下"),
                strict=True,
            )
        ),
        "direction": dict(zip(DIRECTIONS, "左右上下", strict=True)),
        "speed": {"slow": "缓慢", "fast": "快速"},
    },
)

CLASSICAL = Phrasebook(
    "caption.classical",
    Paraphrases(
        seen=(
            "{position}有{size}{shape}，其色{colour}",
            "今有{size}{shape}，色{colour}，居{position}",
            "有{colour}{shape}焉，其形{size}，居{position}",
            "{position}之{shape}，{size}而{colour}",
            "{size}{shape}居{position}，色{colour}焉",
            "今有{colour}{shape}居{position}，其形{size}",
        ),
        novel=(
            "今{position}有{size}{shape}，色{colour}焉",
            "{colour}{shape}居{position}，其形{size}",
            "{position}之{shape}，其形{size}，其色{colour}",
        ),
    ),
    Paraphrases(
        seen=(
            "，{speed}而{direction}行",
            "，{direction}行而{speed}",
            "，今{speed}而{direction}行",
            "，今{direction}行而{speed}",
            "，{speed}而{direction}行焉",
        ),
        novel=("，{direction}行而{speed}焉", "，今{speed}而{direction}行焉"),
    ),
    {
        "shape": dict(zip(FACTORS["shape"], "圆方圭星", strict=True)),
        "colour": dict(zip(FACTORS["colour"], "赤翠青黄紫橘", strict=True)),
        "size": {"small": "小|微", "large": "大|巨"},
        "position": dict(
            zip(
                FACTORS["position"],
                ("西北", "正北", "东北", "正西", "中央", "正东", "西南", "正南", "东南"),
                strict=True,
            )
        ),
        "direction": dict(zip(DIRECTIONS, "西东北南", strict=True)),
        "speed": {"slow": "徐", "fast": "疾"},
    },
)
